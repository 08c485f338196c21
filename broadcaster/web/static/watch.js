// A page that keeps itself up to date. Numbers are drawn as they are told; when more than numbers has changed the
// page's mark is another one, and the server draws that part anew.
import { refresh } from "./fragments.js";
import { listen } from "./live.js";

const SVG = "http://www.w3.org/2000/svg";
const BAR = [
  ["ok", (n) => n.accepted],
  ["topic", (n) => n.topic],
  ["other", (n) => n.gone + n.late],
  ["failed", (n) => n.refused + n.dead],
  ["open", (n) => Math.max(0, n.open)],
];
const AREAS_EVERY = 5000;

const live = document.getElementById("live");
const state = document.getElementById("live-state");
const format = new Intl.NumberFormat(document.documentElement.lang);
let busy = false;
let wanted;
let areas = { timer: 0, at: 0, drawn: "" };

function say(now) {
  state.dataset.now = now;
  state.textContent = state.dataset[now];
}

function take(kind, data) {
  if (kind === "mine" && "liveHome" in live.dataset) {
    wanted = data.home;
    renew("mark");
  }
  const mine = kind === "alerts" && data.alerts[live.dataset.liveAlert];
  if (mine) {
    wanted = mine.shape;
    if (live.firstElementChild.dataset.shape === mine.shape) draw(mine);
    else renew("shape");
  }
}

async function renew(mark) {
  if (busy || live.firstElementChild.dataset[mark] === wanted) return;
  busy = true;
  const asked = wanted;
  const drawn = await fetchInto(live);
  busy = false;
  // Another answer may have been told meanwhile; and what failed is tried again.
  if (!drawn || wanted !== asked) setTimeout(renew, drawn ? 500 : 5000, mark);
}

async function fetchInto(target) {
  try {
    const answer = await fetch(target.dataset.part, { cache: "no-store" });
    if (!answer.ok || answer.redirected) return false;
    refresh(target, await answer.text());
    return true;
  } catch {
    return false;
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function draw(mine) {
  for (const element of live.querySelectorAll("[data-n]")) {
    const [part, name] = element.dataset.n.split("/");
    put(element, format.format(mine.parts[part][name]));
  }
  for (const element of live.querySelectorAll("[data-reason]")) {
    const at = element.dataset.reason.indexOf("/");
    const reasons = mine.reasons[element.dataset.reason.slice(0, at)];
    put(element, format.format(reasons[element.dataset.reason.slice(at + 1)]));
  }
  for (const bar of live.querySelectorAll("[data-bar]")) fill(bar, mine.parts[bar.dataset.bar]);
  const numbers = JSON.stringify(mine.parts);
  if (areas.drawn && areas.drawn !== numbers) soon();
  areas.drawn = numbers;
}

function fill(bar, numbers) {
  let start = 0;
  const parts = [];
  for (const [kind, count] of BAR) {
    const width = (100 * count(numbers)) / numbers.audience;
    if (!width) continue;
    const part = document.createElementNS(SVG, "rect");
    part.setAttribute("class", kind);
    part.setAttribute("x", start.toFixed(2));
    part.setAttribute("y", "0");
    part.setAttribute("width", width.toFixed(2));
    part.setAttribute("height", "6");
    parts.push(part);
    start += width;
  }
  bar.replaceChildren(...parts);
}

// The communes are many: only while they are looked at, and not at every number.
function soon() {
  if (areas.timer) return;
  areas.timer = setTimeout(async () => {
    const table = document.getElementById("areas");
    areas.at = performance.now();
    if (!document.hidden && table?.closest("details").open) await fetchInto(table);
    areas.timer = 0;
  }, Math.max(0, areas.at + AREAS_EVERY - performance.now()));
}

if (live && state) {
  live.addEventListener("toggle", soon, true);
  listen(take, say);
}
