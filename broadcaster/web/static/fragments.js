// Parts of pages that our own server rendered, put in their place.
const policy = window.trustedTypes?.createPolicy("console", { createHTML: (html) => html });

export function read(html) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
}

export function swap(target, html) {
  target.replaceChildren(...read(html).body.childNodes);
}

// The same for a part that someone may be in the middle of: what was open stays open, the focus stays where it was.
export function refresh(target, html) {
  const open = [...target.querySelectorAll("details[open][id]")].map((each) => each.id);
  const at = target.contains(document.activeElement) ? document.activeElement : undefined;
  const same = (each) => each.id === at.id && each.textContent === at.textContent && each.tagName === at.tagName;
  swap(target, html);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (at) [...target.querySelectorAll("a, button, input, select, summary")].find(same)?.focus({ preventScroll: true });
}
