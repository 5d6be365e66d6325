// The sign-in form: token and key. Both are kept in memory only. sessionStorage would keep the token across a reload,
// but browsers write it to disk to restore sessions.

import { announce } from "./announce";
import { Collector, PURPOSES, ProblemError, UnreachableError, type Purpose } from "./collector";
import { Store } from "./store";
import { h } from "./dom";
import { Keyring } from "./keys";
import { containsKey, parseToken } from "./credentials";

export function connectView(onConnect: (store: Store) => void): HTMLElement {
  if (!canDecrypt()) return insecureView();
  let key: Blob | undefined;
  const token = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-help",
  });
  const purpose = h("select", { id: "purpose" }, ...PURPOSES.map((name) => h("option", { value: name }, name)));
  const file = h("input", { id: "key", type: "file", "aria-describedby": "key-help" });
  const chosen = h("p", { id: "key-help", class: "hint" }, "Choose the file, drop it anywhere on this page, or paste its text. It is read in this page and never sent.");
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { class: "primary" }, "Open the queue");

  const setKey = (given: File | string | undefined) => {
    if (!given) return;
    const isText = typeof given === "string";
    key = isText ? new Blob([given]) : given;
    chosen.textContent = `${isText ? "The pasted key" : given.name} is loaded. It is read in this page and never sent.`;
    announce(chosen.textContent);
    problem.textContent = "";
  };
  file.addEventListener("change", () => setKey(file.files?.[0]));

  const form = h(
    "form",
    { class: "connect", novalidate: true },
    h("label", { for: "token" }, "Token"),
    token,
    h("p", { id: "token-help", class: "hint" }, "The output of `sordino-collector token create`, or its last word. The page forgets it when it closes."),
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
    { class: "sign-in" },
    h("h1", {}, "Sordino review"),
    h("p", {}, "Samples are decrypted in this browser with your key, which this page never sends. The page itself comes from the collector: its operator could serve a modified page that steals the key. If you do not trust the operator, use ", h("code", {}, "sordino pull"), " and ", h("code", {}, "sordino report"), "."),
    form,
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      problem.textContent = "";
      let parsedToken: string;
      try {
        parsedToken = parseToken(token.value);
      } catch (error) {
        return showError(errorMessage(error), token);
      }
      if (!key) return showError("Choose the key file first.", file);
      button.disabled = true;
      try {
        const keyring = await Keyring.fromFile(key);
        const store = new Store(new Collector(parsedToken, purpose.value as Purpose), keyring);
        await store.load();
        token.value = "";
        removeListeners();
        onConnect(store);
      } catch (error) {
        showError(errorMessage(error), error instanceof ProblemError ? token : file);
      } finally {
        button.disabled = false;
      }
    })();
  });

  const showError = (line: string, at: HTMLElement) => {
    problem.textContent = line;
    at.focus();
  };
  const removeListeners = listenForKeys(main, token, setKey);
  return main;
}

/** Whether WebCrypto is available: only over https or from localhost. */
function canDecrypt(): boolean {
  return globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined;
}

function insecureView(): HTMLElement {
  return h(
    "main",
    { class: "sign-in" },
    h("h1", {}, "Sordino review"),
    h("p", { class: "problem", role: "alert" }, `This page needs https. It was loaded from ${location.origin} over plain http, where browsers disable WebCrypto and anybody on the network could change the page.`),
    h("p", {}, "Ask the operator of the collector for its https address: ", h("code", {}, "serve --tls-cert --tls-key"), ", or a reverse proxy with TLS. On the collector's own machine, http://localhost works too. Do not enter a token or a key here."),
  );
}

function errorMessage(error: unknown): string {
  if (error instanceof UnreachableError) return "The collector cannot be reached; check the network and try again.";
  if (error instanceof ProblemError && error.problem === "bad-token") {
    // The collector's detail says until when the token was valid.
    const wasValid = /^the token (expired|was revoked)/.test(error.message);
    if (wasValid) return `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`;
    return "The collector rejected this token; ask its operator for a new one.";
  }
  if (error instanceof ProblemError && error.problem === "wrong-purpose") {
    return "This token is not valid for that purpose; choose another purpose, or ask the operator for a token for it.";
  }
  return error instanceof Error ? error.message : String(error);
}

/** Accepts files dropped anywhere on the page, and keys dropped or pasted as text, so that the browser does not open the
 * file and a key never ends up in the token field. Returns a function that removes the listeners. */
function listenForKeys(main: HTMLElement, token: HTMLElement, setKey: (given: File | string | undefined) => void): () => void {
  const over = (event: DragEvent) => {
    event.preventDefault();
    main.classList.add("over");
  };
  const drop = (event: DragEvent) => {
    main.classList.remove("over");
    const [file, text] = [event.dataTransfer?.files[0], event.dataTransfer?.getData("text/plain") ?? ""];
    const isForToken = !file && !containsKey(text) && event.target === token;
    if (isForToken) return;
    event.preventDefault();
    setKey(file ?? (containsKey(text) ? text : undefined));
  };
  const paste = (event: ClipboardEvent) => {
    const [file, text] = [event.clipboardData?.files[0], event.clipboardData?.getData("text/plain") ?? ""];
    if (!file && !containsKey(text)) return;
    event.preventDefault();
    setKey(file ?? text);
  };
  const leave = () => main.classList.remove("over");
  const listeners = [["dragover", over], ["drop", drop], ["dragleave", leave], ["paste", paste]] as const;
  for (const [name, listener] of listeners) document.addEventListener(name, listener as EventListener);
  return () => {
    for (const [name, listener] of listeners) document.removeEventListener(name, listener as EventListener);
  };
}
