// Keeps the page and the last alerts it showed, for when nobody answers; shows what is pushed.
// BUILD, before this, names the files that belong together.
const SHELL = `shell-${BUILD.digest}`;
const LAST = "last-alerts";
const PATIENCE = 8_000;

addEventListener("install", (event) => {
  const files = [...BUILD.files, ...Object.values(BUILD.offline)];
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" }))))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => ![SHELL, LAST].includes(name)).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    if (url.pathname === "/my") event.respondWith(page(event.request));
  } else if (url.pathname === "/my/alerts.json") {
    event.respondWith(alerts(event.request));
  } else if (BUILD.files.includes(url.pathname)) {
    event.respondWith(caches.match(event.request, { cacheName: SHELL }).then((kept) => kept ?? fetch(event.request)));
  }
});

async function asked(request, more) {
  const answer = await fetch(request, { ...more, signal: AbortSignal.timeout(PATIENCE) });
  if (answer.status >= 500) throw new Error("no answer");
  return answer;
}

async function page(request) {
  try {
    return await asked(request);
  } catch {
    const [last] = await caches.open(LAST).then((cache) => cache.keys());
    const lang = last && new URL(last.url).searchParams.get("lang") === "en" ? "en" : "vi";
    return (await caches.match(BUILD.offline[lang], { cacheName: SHELL })) ?? Response.error();
  }
}

async function alerts(request) {
  const cache = await caches.open(LAST);
  try {
    const answer = await asked(request, { cache: "no-store" });
    if (answer.ok) {
      const copy = answer.clone();
      for (const old of await cache.keys()) if (old.url !== request.url) await cache.delete(old);
      await cache.put(request, copy);
    }
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (!kept) throw error;
    const headers = new Headers(kept.headers);
    headers.set("X-Offline", "1");
    // Unpacked already.
    headers.delete("Content-Encoding");
    return new Response(await kept.arrayBuffer(), { headers });
  }
}

const OVER = { vi: "Đã hết hiệu lực: ", en: "No longer in force: " };

// A browser must show something for each push. One tag an alert: what comes later takes its place.
addEventListener("push", (event) => {
  let told;
  try {
    told = event.data.json();
  } catch {
    return;
  }
  const over = Date.parse(told.expires_at) <= Date.now();
  event.waitUntil(
    registration.showNotification((over ? OVER[told.lang] ?? OVER.vi : "") + told.title, {
      body: told.body,
      tag: told.tag,
      renotify: told.urgent && !over,
      requireInteraction: told.stays && !over,
      silent: !told.urgent || over,
      lang: told.lang,
      icon: "/icons/192.png",
      data: { url: told.url, lang: told.lang },
    }),
  );
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, lang } = event.notification.data;
  // Only pages of ours are opened, whoever pushed.
  if (!url.startsWith("/alerts/")) return;
  // Without a network the alert's page is nowhere; what this device has of it is.
  const there = navigator.onLine ? url + (lang === "en" ? "?lang=en" : "") : "/my";
  event.waitUntil(clients.openWindow(there));
});
