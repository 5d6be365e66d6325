// The first state: token and key. Both live in this page's memory alone. sessionStorage would keep the token over
// a reload, but browsers write it to disk to restore sessions; typing it again is the lesser evil.

import { say } from "./announce";
import { Collector, PURPOSES, Refused, Unreachable, type Purpose } from "./collector";
import { Desk } from "./desk";
import { h } from "./dom";
import { Keyring } from "./keys";
import { holdsKey, tokenIn } from "./secret";

export function connectView(connected: (desk: Desk) => void): HTMLElement {
  if (!canDecrypt()) return insecureView();
  let key: Blob | undefined;
  const token = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-help",
  });
  const purpose = h("select", { id: "purpose" }, ...PURPOSES.map((name) => h("option", { value: name }, name)));
  const file = h("input", { id: "key", type: "file", "aria-describedby": "key-help" });
  const chosen = h("p", { id: "key-help", class: "hint" }, "Choose it, drop it anywhere on this page, or paste its text. It is read here and sent nowhere.");
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { class: "primary" }, "Open the queue");

  const take = (given: File | string | undefined) => {
    if (!given) return;
    const isText = typeof given === "string";
    key = isText ? new Blob([given]) : given;
    chosen.textContent = `${isText ? "The pasted key" : given.name} is held. It is read here and sent nowhere.`;
    say(chosen.textContent);
    problem.textContent = "";
  };
  file.addEventListener("change", () => take(file.files?.[0]));

  const form = h(
    "form",
    { class: "connect", novalidate: true },
    h("label", { for: "token" }, "Token"),
    token,
    h("p", { id: "token-help", class: "hint" }, "What `sordino-collector token create` printed, or its last word. Forgotten when this page closes."),
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
    h("p", {}, "Samples are opened in this browser, with your key, which this page sends nowhere. The page itself comes from the collector: whoever runs it could serve another page, one that takes the key. Without that trust, use ", h("code", {}, "sordino pull"), " and ", h("code", {}, "sordino report"), "."),
    form,
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      problem.textContent = "";
      let said: string;
      try {
        said = tokenIn(token.value);
      } catch (error) {
        return refuse(inOneLine(error), token);
      }
      if (!key) return refuse("Choose the key file first.", file);
      button.disabled = true;
      try {
        const keyring = await Keyring.of(key);
        const desk = new Desk(new Collector(said, purpose.value as Purpose), keyring);
        await desk.begin();
        token.value = "";
        stopTaking();
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
  const stopTaking = takeDropsAndPastes(main, token, take);
  return main;
}

/** Whether the browser lends this page its cryptography: only over https, or from the reader's own machine. */
function canDecrypt(): boolean {
  return globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined;
}

function insecureView(): HTMLElement {
  return h(
    "main",
    { class: "door" },
    h("h1", {}, "Sordino review"),
    h("p", { class: "problem", role: "alert" }, `This page needs https. It came from ${location.origin} over plain http, where browsers let no page decrypt, and where anybody on the way could change it.`),
    h("p", {}, "Ask whoever runs the collector for its https address: ", h("code", {}, "serve --tls-cert --tls-key"), ", or a proxy in front. From the collector's own machine, http://localhost does as well. Give no token and no key before that."),
  );
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

/** Files that are dropped anywhere on the page, and keys that are dropped or pasted as text: none is ever opened by the
 * browser instead, and no key comes into the field of the token. */
function takeDropsAndPastes(main: HTMLElement, token: HTMLElement, take: (given: File | string | undefined) => void): () => void {
  const over = (event: DragEvent) => {
    event.preventDefault();
    main.classList.add("over");
  };
  const drop = (event: DragEvent) => {
    main.classList.remove("over");
    const [file, text] = [event.dataTransfer?.files[0], event.dataTransfer?.getData("text/plain") ?? ""];
    const isForToken = !file && !holdsKey(text) && event.target === token;
    if (isForToken) return;
    event.preventDefault();
    take(file ?? (holdsKey(text) ? text : undefined));
  };
  const paste = (event: ClipboardEvent) => {
    const [file, text] = [event.clipboardData?.files[0], event.clipboardData?.getData("text/plain") ?? ""];
    if (!file && !holdsKey(text)) return;
    event.preventDefault();
    take(file ?? text);
  };
  const leave = () => main.classList.remove("over");
  const listeners = [["dragover", over], ["drop", drop], ["dragleave", leave], ["paste", paste]] as const;
  for (const [name, listener] of listeners) document.addEventListener(name, listener as EventListener);
  return () => {
    for (const [name, listener] of listeners) document.removeEventListener(name, listener as EventListener);
  };
}
