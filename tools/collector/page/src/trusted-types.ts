// The trusted types policy. It allows one HTML string, the shadow root of wavesurfer.js, and rejects all others
// (`require-trusted-types-for 'script'`).

/** Set by the build. */
declare const SHADOW_HTML: string;

type Policies = { createPolicy(name: string, rules: { createHTML(html: string): string }): unknown };

export function restrictHtmlToWaveform(): void {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  policies?.createPolicy("default", {
    createHTML(html) {
      if (html === SHADOW_HTML || html === "") return html;
      throw new TypeError("this page does not parse HTML");
    },
  });
}
