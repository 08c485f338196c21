// The player page: network, storage and the screen around player_core.js.

import { Player, pause } from "./player_core.js";
import { isAuthentic, verifier } from "./player_signature.js";

const FEED = "/v1/screens/me/feed";
const REPORTS = "/v1/screens/me/reports";
const PLAYS = "/v1/screens/me/plays";
const PAIRING = "/v1/screens/pairing";
const KEY = "screen.key";
const FEED_KEY = "screen.feed-key";
const PAIRED = "screen.paired"; // which screen this is, where a pairing gave the key
const STATE = "screen.state";
const PLAYS_MS = 3600000;
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
let on = null;
let putOut = false; // the house ended the key, and another is waited for
let code = ""; // shown meanwhile while there is nothing to tell
let signer; // what checks feeds; null where this browser cannot

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
  const now = steady();
  if (on) player.counted(on, now);
  const picture = player.picture(now);
  draw(picture);
  const seen = document.visibilityState === "visible";
  on = seen ? picture : { id: null, rev: 0 };
  player.counted(on, now);
  if (seen && player.showed(picture)) {
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
  const dim = picture.brightness < 100 ? `brightness(${picture.brightness}%)` : "";
  stage.style.filter = picture.flash ? `invert(1) ${dim}` : dim;
  // A television has room for the whole text: its pages are for matrices.
  const lines = picture.id === null && code ? [code] : picture.lines;
  const said = picture.id !== null && picture.of === 1 && picture.text ? picture.text : lines.join("\n");
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

/** Pins the key that signs feeds: the pairing told it, or else the first to answer is believed, no one later. */
async function pin() {
  if (signer !== undefined) return;
  if (!localStorage.getItem(FEED_KEY)) {
    const answer = await ask("/v1/feed-key", {}, 20000);
    if (answer.status !== 200) throw new TypeError(`the key of feeds: status ${answer.status}`);
    localStorage.setItem(FEED_KEY, (await answer.json()).public);
  }
  signer = await verifier(localStorage.getItem(FEED_KEY));
  part("unsigned").hidden = signer !== null;
}

function state() {
  const show = on?.id ? `${on.id}/${on.rev}` : "idle";
  const { seq = 0, bad = 0 } = player.feed ?? {};
  return `seq=${seq};show=${show};err=${bad};up=${Math.floor(steady() / 1000)};sig=${signer ? 1 : 0}`;
}

async function poll(wait) {
  await pin();
  const headers = { "X-Screen-State": state() };
  if (player.etag) {
    headers["If-None-Match"] = player.etag;
    // Not before the time is known: until then nothing that is kept may be shown.
    if (wait && player.clock.known) headers.Prefer = `wait=${WAIT_S}`;
  }
  const sent = steady();
  const answer = await ask(FEED, { headers }, PATIENCE_MS);
  const serverMs = instant(answer, "X-Server-Time");
  const held = (answer.headers.get("Preference-Applied") ?? "").includes("wait");
  const least = retryMs(answer);
  if (answer.status === 304) {
    const outcome = player.unchanged(serverMs, sent, steady());
    identify(answer);
    return { outcome, held, least };
  }
  if (answer.status !== 200) {
    const lost = answer.status === 401 || answer.status === 403;
    part("refused").hidden = !lost;
    if (answer.status === 401 && (await isPutOut())) {
      console.warn("the house has ended the key of this screen: it pairs again");
      putOut = true;
      await pair();
    }
    return { outcome: null, held: false, least: Math.max(least, lost ? LOST_KEY_MS : 0) };
  }
  const bytes = await answer.arrayBuffer();
  if (signer && !(await isAuthentic(bytes, answer.headers.get("X-Feed-Signature"), signer))) {
    throw new TypeError("the feed is not signed by the house");
  }
  const body = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const outcome = player.answered(body, answer.headers.get("ETag") ?? "", serverMs, sent, steady());
  identify(answer);
  return { outcome, held, least };
}

/** Whether the house says, signed and to this very question, that it ended the key of a pairing.
 *
 * A refusal alone may come from anywhere. A key that someone typed in is theirs to change.
 */
async function isPutOut() {
  if (!signer || !localStorage.getItem(PAIRED)) return false;
  const about = { key_id: localStorage.getItem(KEY).split("_")[1] ?? "", nonce: uuid() };
  const answer = await ask(`${PAIRING}/standing?${new URLSearchParams(about)}`, {}, 20000);
  const bytes = await answer.arrayBuffer();
  const said = answer.headers.get("X-Feed-Signature");
  if (answer.status !== 200 || !(await isAuthentic(bytes, said, signer))) return false;
  const told = JSON.parse(new TextDecoder().decode(bytes));
  const wanted = { kind: "key-standing/1", standing: "ended", ...about };
  return Object.entries(wanted).every(([name, value]) => told[name] === value);
}

function instant(answer, name) {
  const said = answer.headers.get(name) ?? "";
  return /^\d{1,15}$/.test(said) ? Number(said) : null;
}

function identify(answer) {
  const until = instant(answer, "X-Screen-Identify");
  if (until !== null) player.flashes(until, steady());
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

const REFUSED = [400, 404, 413, 422];

async function tell(path, told) {
  if (putOut) return 0;
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(told) }, 20000);
    return answer.status;
  } catch (error) {
    console.warn("the report waits:", error.name);
    return 0;
  }
}

async function tellPlays() {
  for (;;) {
    // Spread, so that screens that started together do not tell together for ever.
    await sleep(PLAYS_MS * (0.8 + 0.2 * Math.random()));
    const told = player.toldOf(uuid());
    save();
    if (!told) continue;
    const status = await tell(PLAYS, told);
    if (status === 200 || REFUSED.includes(status)) player.batch = null;
    save();
  }
}

/** A random UUID; crypto.randomUUID is for https only. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const said = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return said.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function report() {
  let failures = 0;
  let singly = false;
  for (;;) {
    if (!player.pending.length) await new Promise((woken) => (wakeReports = woken));
    const batch = player.pending.slice(0, singly ? 1 : 50);
    const shown = batch.map(([id, rev]) => ({ alert_id: id, version: rev }));
    const status = await tell(REPORTS, { shown });
    const refused = REFUSED.includes(status);
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
  tellPlays();
}

/** Takes a key; what was kept is of another screen, maybe, and of another house. */
function take(key, feedKey, screen) {
  if (!putOut) localStorage.removeItem(STATE);
  else if (screen !== localStorage.getItem(PAIRED)) {
    // Of the same house: what is over or cancelled stays so.
    const { floors, gone } = player.kept(steady());
    localStorage.setItem(STATE, JSON.stringify({ floors, gone }));
  }
  localStorage.removeItem(FEED_KEY);
  localStorage.removeItem(PAIRED);
  if (feedKey) localStorage.setItem(FEED_KEY, feedKey);
  if (screen) localStorage.setItem(PAIRED, screen);
  localStorage.setItem(KEY, key);
  location.reload();
}

async function post(path, told) {
  const options = { method: "POST", cache: "no-store", redirect: "error", credentials: "omit" };
  if (told) Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) });
  return fetch(path, options);
}

/** Shows codes until an operator claims one (RFC 8628). */
async function pair() {
  part("pair").disabled = true;
  for (;;) {
    try {
      const answer = await post(PAIRING);
      if (answer.status === 201) {
        if (await paired(await answer.json())) return;
      } else await sleep(Math.max(5000, retryMs(answer)));
    } catch (error) {
      console.warn("no pairing:", error.name);
      await sleep(5000);
    }
  }
}

/** Whether the code was claimed before it grew too old. */
async function paired({ device_code: device, user_code: given, interval }) {
  part("code").textContent = given;
  part("pairing").hidden = false;
  if (putOut) {
    code = given;
    show();
  }
  let every = interval;
  for (;;) {
    await sleep(every * 1000);
    const answer = await post(`${PAIRING}/token`, { device_code: device });
    const told = await answer.json();
    if (answer.status === 200) {
      if (putOut && told.feed_key !== localStorage.getItem(FEED_KEY)) return false; // another house
      take(told.key, told.feed_key, told.screen_id);
      return true;
    }
    if (told.error === "slow_down") every += 5;
    else if (told.error !== "authorization_pending") return false;
  }
}

part("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  take(part("key").value.trim());
});
part("pair").addEventListener("click", pair);
part("stage").addEventListener("dblclick", () => document.documentElement.requestFullscreen?.());
part("forget").addEventListener("click", () => {
  localStorage.removeItem(KEY);
  localStorage.removeItem(FEED_KEY);
  localStorage.removeItem(STATE);
  localStorage.removeItem(PAIRED);
  location.reload();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") part("setup").hidden = !part("setup").hidden;
});

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/screens/sw.js", { scope: "/screens/" });
if (localStorage.getItem(KEY)) begin();
else part("setup").hidden = false;
