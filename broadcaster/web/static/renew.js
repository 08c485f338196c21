// A page of the public that comes back into view is asked for anew: what it shows may have been withdrawn.
// It never asks while it lies open: a city of open pages would be the load that nobody needs.
const YOUNG = 30_000;
const PATIENCE = 8_000;
const SPREAD = 30_000;
const LONGEST = 2 ** 31 - 1;
let since = Date.now();

async function renew() {
  if (document.hidden || Date.now() - since < YOUNG) return;
  since = Date.now();
  try {
    const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) location.reload();
  } catch {
    // What is on the page was true when it came; that is all there is to say.
    document.getElementById("unasked").hidden = false;
  }
}

document.addEventListener("visibilitychange", renew);
addEventListener("online", renew);
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    since = 0;
    renew();
  }
});
// At its end it is asked for again, and not by all in the same second. This device's clock decides nothing:
// it is the server that says whether the alert is over.
const left = Date.parse(document.querySelector("[data-expires]")?.dataset.expires) - Date.now();
if (left > 0 && left < LONGEST - SPREAD) {
  setTimeout(() => {
    since = 0;
    renew();
  }, left + Math.random() * SPREAD);
}
