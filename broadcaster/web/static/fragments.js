// Parts of pages that our own server rendered, put in their place.
const policy = window.trustedTypes?.createPolicy("console", { createHTML: (html) => html });

export function swap(target, html) {
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  target.replaceChildren(...parsed.body.childNodes);
}
