// The first state: token and key. Both live in this page's memory alone. sessionStorage would keep the token over
// a reload, but browsers write it to disk to restore sessions; typing it again is the lesser evil.

import { Collector, PURPOSES, Refused, Unreachable, type Purpose } from "./collector";
import { Desk } from "./desk";
import { h } from "./dom";
import { Keyring } from "./keys";

export function connectView(connected: (desk: Desk) => void): HTMLElement {
  let key: File | undefined;
  const token = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-help",
  });
  const purpose = h("select", { id: "purpose" }, ...PURPOSES.map((name) => h("option", { value: name }, name)));
  const file = h("input", { id: "key", type: "file", "aria-describedby": "key-help" });
  const chosen = h("p", { id: "key-help", class: "hint" }, "Drop it anywhere on this page, or choose it. It is read here and sent nowhere.");
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { class: "primary" }, "Open the queue");

  const take = (dropped: File | undefined) => {
    if (!dropped) return;
    key = dropped;
    chosen.textContent = `${dropped.name} is held. It is read here and sent nowhere.`;
    problem.textContent = "";
  };
  file.addEventListener("change", () => take(file.files?.[0]));

  const form = h(
    "form",
    { class: "connect", novalidate: true },
    h("label", { for: "token" }, "Token"),
    token,
    h("p", { id: "token-help", class: "hint" }, "What `sordino-collector token create` printed. Forgotten when this page closes."),
    h("label", { for: "purpose" }, "Purpose"),
    purpose,
    h("label", { for: "key" }, "Key file"),
    file,
    chosen,
    button,
    problem,
  );
  const main = h(
    "main",
    { class: "door" },
    h("h1", {}, "Sordino review"),
    h("p", {}, "Samples are opened in this browser, with your key. The collector that served this page cannot hear them."),
    form,
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      problem.textContent = "";
      const said = token.value.trim();
      if (said === "") return refuse("Type the token first.", token);
      if (!key) return refuse("Choose the key file first.", file);
      button.disabled = true;
      try {
        const keyring = await Keyring.of(key);
        const desk = new Desk(new Collector(said, purpose.value as Purpose), keyring);
        await desk.begin();
        token.value = "";
        stopDropping();
        connected(desk);
      } catch (error) {
        refuse(inOneLine(error), error instanceof Refused ? token : file);
      } finally {
        button.disabled = false;
      }
    })();
  });

  const refuse = (line: string, at: HTMLElement) => {
    problem.textContent = line;
    at.focus();
  };
  const stopDropping = takeDrops(main, take);
  return main;
}

function inOneLine(error: unknown): string {
  if (error instanceof Unreachable) return "The collector cannot be reached; look after the network and try again.";
  if (error instanceof Refused && error.problem === "bad-token") {
    // What the collector says of a token that once was good: until when it was.
    const wasGood = /^the token (expired|was revoked)/.test(error.message);
    if (wasGood) return `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`;
    return "The collector does not take this token; ask whoever runs it for one that holds.";
  }
  if (error instanceof Refused && error.problem === "wrong-purpose") {
    return "This token is not good for that purpose; choose another, or ask for a token of it.";
  }
  return error instanceof Error ? error.message : String(error);
}

/** Files that are dropped anywhere on the page; none of them is ever opened by the browser instead. */
function takeDrops(main: HTMLElement, take: (file: File | undefined) => void): () => void {
  const over = (event: DragEvent) => {
    event.preventDefault();
    main.classList.add("over");
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    main.classList.remove("over");
    take(event.dataTransfer?.files[0]);
  };
  const leave = () => main.classList.remove("over");
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
  document.addEventListener("dragleave", leave);
  return () => {
    document.removeEventListener("dragover", over);
    document.removeEventListener("drop", drop);
    document.removeEventListener("dragleave", leave);
  };
}
