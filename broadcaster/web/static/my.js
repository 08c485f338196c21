// My areas, kept up to date; and from what this device has, where nobody answers. An alert whose time is up
// leaves the page by the clock, whatever the network says.
import { notify } from "./my-push.js";

const EVERY = 60_000;
const CLOCK = 15_000;
const section = document.getElementById("mine");
const list = document.getElementById("alerts");
const by = (id) => document.getElementById(id);
const store = {
  get(name) {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return "";
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // A browser that keeps nothing still shows the page.
    }
  },
};
// Our own server rendered it; and one worker, of our own, is all that may be registered.
const rules = { createHTML: (html) => html, createScriptURL: (url) => (url === "/sw.js" ? url : "") };
const policy = window.trustedTypes?.createPolicy("citizen", rules) ?? rules;
const lang = section.dataset.lang;
const clock = new Intl.DateTimeFormat(lang, {
  timeZone: "Asia/Ho_Chi_Minh",
  hourCycle: "h23",
  hour: "2-digit",
  minute: "2-digit",
  day: lang === "vi" ? "2-digit" : "numeric",
  month: lang === "vi" ? "2-digit" : "short",
  year: "numeric",
});
// As the server writes it, whatever the order of the browser's own words.
function written(at) {
  const of = Object.fromEntries(clock.formatToParts(at).map((part) => [part.type, part.value]));
  return `${of.hour}:${of.minute}, ${[of.day, of.month, of.year].join(lang === "vi" ? "/" : " ")}`;
}

if (section.dataset.source === "cookie") store.set("areas", section.dataset.areas);
const areas = (section.dataset.areas || store.get("areas")).split(".").filter(Boolean);
// The server's time minus this device's, for a device may be wrong. Time never goes back below what was told.
let ahead = Number(store.get("ahead")) || 0;
let told = Date.parse(section.dataset.at);
const now = () => Math.max(Date.now() + ahead, told);
let ended = 0;
let drawn = "";

function show(id, shown) {
  by(id).hidden = !shown;
}

function sweep() {
  for (const item of [...list.children]) {
    if (Date.parse(item.dataset.expires) <= now()) {
      item.remove();
      ended += 1;
    }
  }
  by("ended").textContent = section.dataset.ended.replace("{n}", ended);
  show("ended", ended > 0);
  show("none", drawn === "live" && !list.children.length);
}

function draw(found, offline) {
  const parser = new DOMParser();
  const items = found.alerts.map((alert) => {
    const parsed = parser.parseFromString(policy.createHTML(alert.html), "text/html");
    return parsed.querySelector("li");
  });
  list.replaceChildren(...items);
  ended = 0;
  drawn = offline ? "kept" : "live";
  by("names").textContent = found.areas.map((area) => area.name).join(", ");
  const words = written(Date.parse(found.at));
  by("state").textContent = offline ? "" : section.dataset.updated.replace("{time}", words);
  by("offline-at").textContent = words;
  by("offline-at").dateTime = found.at;
  show("offline", offline);
  show("offline-since", offline);
  show("offline-none", false);
  show("chosen", true);
  show("unchosen", false);
  sweep();
}

function lost() {
  // What stands on the page was true when it was drawn; whose time is up goes all the same.
  const kept = drawn !== "" || list.children.length > 0;
  by("offline-at").textContent = written(told);
  show("offline", true);
  show("offline-since", kept);
  show("offline-none", !kept);
  show("none", false);
  drawn = kept ? "kept" : "";
  sweep();
}

async function refresh() {
  if (!areas.length || document.hidden) return;
  const query = new URLSearchParams(areas.map((code) => ["area", code]));
  query.set("lang", lang);
  try {
    const answer = await fetch(`/my/alerts.json?${query}`, { signal: AbortSignal.timeout(15_000) });
    if (!answer.ok) throw new Error("no answer");
    const offline = answer.headers.has("X-Offline");
    const found = await answer.json();
    told = offline ? told : Date.parse(found.at);
    if (!offline) {
      ahead = told - Date.now();
      store.set("ahead", ahead);
    }
    draw(found, offline);
  } catch {
    lost();
  }
}

async function settle() {
  if (!("serviceWorker" in navigator)) return undefined;
  try {
    await navigator.serviceWorker.register(policy.createScriptURL("/sw.js"), { scope: "/my" });
    return await navigator.serviceWorker.ready;
  } catch {
    return undefined;
  }
}

let prompt;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  prompt = event;
  show("install", true);
});
by("install").addEventListener("click", () => {
  prompt?.prompt();
  show("install", false);
});
addEventListener("online", refresh);
addEventListener("offline", refresh);
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY);
setInterval(sweep, CLOCK);

if (!areas.length && section.dataset.source === "none") show("unchosen", true);
drawn = section.dataset.source === "none" ? "" : "live";
sweep();
const worker = await settle();
await refresh();
if (worker) await notify(by("push"), worker, areas, lang, store);
