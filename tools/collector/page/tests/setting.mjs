// The setting that most tests share: an organization, its collector, a device, and how all of it ends.
import { after, before } from "node:test";
import { closeBrowser } from "./browser.mjs";
import { Collector, Device, Organization, annotation } from "./organization.mjs";

/** Sets up before the file's tests, and takes down after them. `send` has the device and sends samples by it. */
export function setting(send = () => {}, ...options) {
  const set = {};
  before(async () => {
    set.organization = new Organization();
    set.collector = await Collector.start(set.organization, ...options);
    set.device = new Device(set.collector);
    await send(set);
  });
  after(async () => {
    await closeBrowser();
    set.collector?.stop();
    set.organization?.remove();
  });
  return set;
}

/** A shipped recording, as an exercise of another name. */
export function named(recording, tag, change = (a) => a) {
  return annotation(recording, (shipped) => change({ ...shipped, tag }));
}
