// The fixture of most tests: an organization, its collector and a device.
import { after, before } from "node:test";
import { closeBrowser } from "./browser.mjs";
import { Collector, Device, Organization, annotation } from "./organization.mjs";

/** Sets up before the tests of the file and cleans up after them. `send` receives the fixture and sends samples. */
export function fixture(send = () => {}, ...options) {
  const context = {};
  before(async () => {
    context.organization = new Organization();
    context.collector = await Collector.start(context.organization, ...options);
    context.device = new Device(context.collector);
    await send(context);
  });
  after(async () => {
    await closeBrowser();
    context.collector?.stop();
    context.organization?.remove();
  });
  return context;
}

/** The annotation of a shipped recording with another tag. */
export function named(recording, tag, change = (a) => a) {
  return annotation(recording, (shipped) => change({ ...shipped, tag }));
}
