// The player page: network, storage and the screen around player_core.js.

import { Player, pause } from "./player_core.js";

const FEED = "/v1/screens/me/feed";
const REPORTS = "/v1/screens/me/reports";
const KEY = "screen.key";
const STATE = "screen.state";
const WAIT_S = 50;
const PATIENCE_MS = 70000;
const LOST_KEY_MS = 60000;
const SAVE_MS = 600000;

const steady = () => Math.floor(performance.now());
const part = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let player = new Player(steady(), stored());
let saved = steady();
let timer = 0;
let wakeReports = () => {};

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STATE)) ?? {};
  } catch {
    return {}; // nothing that can be read was kept
  }
}

function save() {
  saved = steady();
  try {
    localStorage.setItem(STATE, JSON.stringify(player.kept(saved)));
  } catch (error) {
    console.warn("the state cannot be kept:", error.name); // what is on stays on
  }
}

function show() {
  clearTimeout(timer);
  const picture = player.picture(steady());
  draw(picture);
  if (document.visibilityState === "visible" && player.showed(picture)) {
    save();
    wakeReports();
  }
  timer = setTimeout(show, picture.wait);
}

function draw(picture) {
  const stage = part("stage");
  stage.className = picture.id === null ? "idle" : `told ${picture.severity.toLowerCase()}`;
  part("mark").textContent = picture.mark;
  part("mark").hidden = picture.mark === "";
  part("stale").hidden = !picture.stale;
  // A television has room for the whole text: its pages are for matrices.
  const said = picture.id !== null && picture.of === 1 && picture.text ? picture.text : picture.lines.join("\n");
  const words = part("words");
  if (words.textContent === said && words.dataset.fitted === size()) return;
  words.textContent = said;
  words.dataset.fitted = size();
  fit(words, part("room"));
}

const size = () => `${innerWidth}x${innerHeight}${part("mark").hidden}`;

/** The largest letters with which the words fit their room. */
function fit(words, room) {
  let low = 16;
  let high = Math.max(17, Math.floor(room.clientHeight / 2));
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    words.style.fontSize = `${middle}px`;
    const fits = words.scrollHeight <= room.clientHeight && words.scrollWidth <= room.clientWidth;
    if (fits) low = middle;
    else high = middle;
  }
  words.style.fontSize = `${low}px`;
}

async function ask(path, options, patience) {
  const key = localStorage.getItem(KEY);
  const headers = { ...options.headers, Authorization: `Bearer ${key}` };
  const signal = AbortSignal.timeout(patience);
  return fetch(path, { ...options, headers, signal, cache: "no-store", redirect: "error", credentials: "omit" });
}

const retryMs = (answer) => Math.min(3600, Number(answer.headers.get("Retry-After")) || 0) * 1000;

async function poll(wait) {
  const headers = {};
  if (player.etag) {
    headers["If-None-Match"] = player.etag;
    // Not before the time is known: until then nothing that is kept may be shown.
    if (wait && player.clock.known) headers.Prefer = `wait=${WAIT_S}`;
  }
  const sent = steady();
  const answer = await ask(FEED, { headers }, PATIENCE_MS);
  const said = answer.headers.get("X-Server-Time") ?? "";
  const serverMs = /^\d{1,15}$/.test(said) ? Number(said) : null;
  const held = (answer.headers.get("Preference-Applied") ?? "").includes("wait");
  const least = retryMs(answer);
  if (answer.status === 304) {
    return { outcome: player.unchanged(serverMs, sent, steady()), held, least };
  }
  if (answer.status !== 200) {
    const lost = answer.status === 401 || answer.status === 403;
    part("refused").hidden = !lost;
    return { outcome: null, held: false, least: Math.max(least, lost ? LOST_KEY_MS : 0) };
  }
  const body = await answer.text();
  const outcome = player.answered(body, answer.headers.get("ETag") ?? "", serverMs, sent, steady());
  return { outcome, held, least };
}

async function follow() {
  let failures = 0;
  let holds = false;
  let plain = false;
  for (;;) {
    let got = { outcome: null, held: false, least: 0 };
    try {
      got = await poll(!plain);
    } catch (error) {
      console.warn("no feed:", error.name); // a line that is down, or a body that is no feed
    }
    if (got.outcome === null) failures += 1;
    else {
      failures = 0;
      part("refused").hidden = true;
      holds = got.held || (holds && plain);
      plain = got.held && got.outcome === "same";
      show();
      if (got.outcome === "new" || steady() - saved >= SAVE_MS) save();
    }
    await sleep(Math.max(got.least, pause(player, got.outcome, failures, Math.random(), holds)));
  }
}

async function report() {
  let failures = 0;
  let singly = false;
  for (;;) {
    if (!player.pending.length) await new Promise((woken) => (wakeReports = woken));
    const batch = player.pending.slice(0, singly ? 1 : 50);
    const shown = batch.map(([id, rev]) => ({ alert_id: id, version: rev }));
    let status = 0;
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await ask(REPORTS, { method: "POST", headers, body: JSON.stringify({ shown }) }, 20000);
      status = answer.status;
    } catch (error) {
      console.warn("the report waits:", error.name);
    }
    const refused = [400, 404, 413, 422].includes(status);
    if (status === 200 || (refused && batch.length === 1)) {
      player.reported(batch.length);
      save();
    }
    if (status === 200 || refused) {
      failures = 0;
      singly = refused;
    } else {
      failures += 1;
      await sleep(pause(player, null, failures, Math.random(), false));
    }
  }
}

function begin() {
  part("stage").hidden = false;
  show();
  addEventListener("resize", show);
  document.addEventListener("visibilitychange", show);
  follow();
  report();
}

part("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem(KEY, part("key").value.trim());
  localStorage.removeItem(STATE); // of another screen, maybe
  location.reload();
});
part("stage").addEventListener("dblclick", () => document.documentElement.requestFullscreen?.());
part("forget").addEventListener("click", () => {
  localStorage.removeItem(KEY);
  localStorage.removeItem(STATE);
  location.reload();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") part("setup").hidden = !part("setup").hidden;
});

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/screens/sw.js", { scope: "/screens/" });
if (localStorage.getItem(KEY)) begin();
else part("setup").hidden = false;
