// The one string that may become HTML: what wavesurfer.js writes into its shadow root. The policy
// (`require-trusted-types-for 'script'`) lets no other by, from whatever code.

/** Written in by the build. */
declare const SHADOW_HTML: string;

type Policies = { createPolicy(name: string, rules: { createHTML(html: string): string }): unknown };

export function allowOnlyTheWaveformsHtml(): void {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  policies?.createPolicy("default", {
    createHTML(html) {
      if (html === SHADOW_HTML || html === "") return html;
      throw new TypeError("this page makes no HTML out of text");
    },
  });
}
