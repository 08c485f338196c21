// Saves a draft a moment after typing stops. The version it was typed over goes along, so that nobody's text
// is overwritten unseen; a text that could not be saved is tried again, and stays on the page. A form that is
// sent is saved first: neither a session that ended nor a network that is down takes a word away.
import { read, swap } from "./fragments.js";

const PAUSE = 600;
const AGAIN = [2000, 5000, 15000, 30000];
const TOKENS = "/console/account"; // Any page of who is signed in.
const DOUBLE = 5000;

export function keep(form, preview, state) {
  const version = form.elements.version;
  const conflict = document.getElementById("conflict");
  const away = document.getElementById("ended");
  let timer = 0;
  let saving;
  let dirty = "kept" in form.dataset; // Shown again after the session had ended: not saved yet.
  let failures = 0;
  let over = false;
  let ended = false;
  let sent = "";

  const soon = (wait) => {
    clearTimeout(timer);
    if (!over) timer = setTimeout(save, wait);
  };

  // Answers whether the server has been heard: what is wrong it tells on its own page.
  function save() {
    if (!saving) {
      saving = send().finally(() => {
        saving = undefined;
        if (dirty && !ended) soon(failures ? AGAIN[Math.min(failures, AGAIN.length) - 1] : PAUSE);
      });
    }
    return saving;
  }

  async function send() {
    if (!dirty && !ended) return true;
    dirty = false;
    state.textContent = form.dataset.saving;
    try {
      if (ended && !(await renew())) return leave();
      return await take(
        await fetch(`${form.dataset.draft}/autosave`, {
          method: "POST",
          headers: { "If-Match": `"${version.value}"` },
          body: new URLSearchParams(new FormData(form)),
        }),
      );
    } catch {
      failed();
      return false;
    }
  }

  async function take(answer) {
    if (answer.redirected) return leave();
    if (answer.status === 403 && !ended) {
      // Signed in anew in another tab: the session is another, and so is its token.
      ended = true;
      dirty = true;
      return send();
    }
    const barred = { 403: form.dataset.barred, 410: form.dataset.closed }[answer.status];
    if (barred) return bar(barred);
    ended = false;
    away.hidden = true;
    if (answer.status === 412) {
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
    return true;
  }

  function failed() {
    failures += 1;
    dirty = true;
    state.textContent = form.dataset.unsaved;
  }

  function leave() {
    ended = true;
    dirty = true;
    away.hidden = false;
    state.textContent = form.dataset.ended;
    return false;
  }

  // Who may not write it any more is told, and is shown every word once more when the form is sent.
  function bar(words) {
    over = true;
    dirty = true;
    state.textContent = words;
    return true;
  }

  async function renew() {
    const answer = await fetch(TOKENS, { cache: "no-store" });
    if (answer.redirected) return false;
    const { value } = read(await answer.text()).querySelector("input[name=csrf]");
    for (const field of document.querySelectorAll("input[name=csrf]")) field.value = value;
    return true;
  }

  form.addEventListener("input", (event) => {
    // Names being pasted or searched are no part of the alert yet.
    if (!event.target.name || event.target.name === "paste") return;
    dirty = true;
    soon(PAUSE);
  });
  form.addEventListener("submit", async (event) => {
    // What can be saved no more is sent as it is: the answer shows it whole.
    if (sent === "going" || (!sent && (over || (!dirty && !ended && !saving)))) {
      dirty = false;
      go();
      return;
    }
    event.preventDefault();
    if (sent) return;
    sent = "saving";
    clearTimeout(timer);
    if (saving) await saving;
    if (await save()) {
      sent = "going";
      dirty = false;
      form.requestSubmit(event.submitter);
    } else {
      sent = "";
      if (ended) away.focus();
    }
  });

  // A second press sends nothing, unless the first came to nothing.
  function go() {
    sent = "gone";
    over = true;
    clearTimeout(timer);
    setTimeout(() => (sent = ""), DOUBLE);
  }

  // Whoever comes back from signing in in another tab goes on where they were.
  addEventListener("focus", () => ended && save());
  // A page that comes back from the browser's memory is of a version that may be old.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}
