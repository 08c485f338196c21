// Saves a draft a moment after typing stops. The version it was typed over goes along, so that nobody's text
// is overwritten unseen; a text that could not be saved is tried again, and stays on the page.
import { swap } from "./fragments.js";

const PAUSE = 600;
const AGAIN = [2000, 5000, 15000, 30000];

export function keep(form, preview, state) {
  const version = form.elements.version;
  const conflict = document.getElementById("conflict");
  let timer = 0;
  let busy = false;
  let dirty = false;
  let failures = 0;
  let over = false;

  const soon = (wait) => {
    clearTimeout(timer);
    if (!over) timer = setTimeout(save, wait);
  };

  async function save() {
    if (busy || !dirty) return;
    busy = true;
    dirty = false;
    state.textContent = form.dataset.saving;
    try {
      const answer = await fetch(`${form.dataset.draft}/autosave`, {
        method: "POST",
        headers: { "If-Match": `"${version.value}"` },
        body: new URLSearchParams(new FormData(form)),
      });
      await take(answer);
    } catch {
      failed();
    } finally {
      busy = false;
      if (dirty) soon(failures ? AGAIN[Math.min(failures, AGAIN.length) - 1] : PAUSE);
    }
  }

  async function take(answer) {
    if (answer.redirected) {
      stop(form.dataset.ended);
    } else if (answer.status === 412) {
      over = true;
      swap(conflict, await answer.text());
      conflict.hidden = false;
    } else if (answer.ok) {
      failures = 0;
      version.value = answer.headers.get("ETag").replaceAll('"', "");
      swap(preview, await answer.text());
      state.textContent = version.value === "0" ? "" : form.dataset.saved;
      if (version.value !== "0" && location.pathname !== form.dataset.draft) {
        history.replaceState(null, "", form.dataset.draft);
      }
    } else {
      failed();
    }
  }

  function failed() {
    failures += 1;
    dirty = true;
    state.textContent = form.dataset.unsaved;
  }

  function stop(words) {
    over = true;
    dirty = true;
    conflict.textContent = words;
    conflict.hidden = false;
    state.textContent = "";
  }

  form.addEventListener("input", (event) => {
    // Names being pasted or searched are no part of the alert yet.
    if (!event.target.name || event.target.name === "paste") return;
    dirty = true;
    soon(PAUSE);
  });
  form.addEventListener("submit", () => {
    over = true;
    clearTimeout(timer);
    dirty = false;
  });
  // A page that comes back from the browser's memory is of a version that may be old.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}
