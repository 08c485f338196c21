// Notifications of this browser: on, off, and put right where its address or the chosen places changed.
// The city keeps the address and the places while they are on; this browser keeps what proves it is the one.
const KIND = { token_kind: "subscription", platform: "web" };

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

function addressOf(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return `${endpoint}|${keys.p256dh}|${keys.auth}`;
}

export async function notify(section, worker, areas, lang, store) {
  if (!section.dataset.key || !worker.pushManager || !("Notification" in window) || !areas.length) return;
  const state = document.getElementById("push-state");
  const on = document.getElementById("push-on");
  const off = document.getElementById("push-off");
  const say = (word) => {
    state.textContent = state.dataset[word];
  };

  const erase = () =>
    fetch("/v1/devices/me", { method: "DELETE", headers: { Authorization: `Bearer ${store.get("device")}` } });

  async function subscribed() {
    const found = await worker.pushManager.getSubscription();
    if (found) return found;
    const applicationServerKey = bytes(section.dataset.key);
    return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  }

  // Registering the same address again keeps the device and gives it another secret: so an answer that never
  // came is made good by asking once more, and until then what is kept here stays.
  async function register(subscription) {
    const [home, ...others] = areas;
    const body = { ...KIND, token: addressOf(subscription), home, areas: others, locale: lang };
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/v1/devices", { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.status === 422) {
      await subscription.unsubscribe();
      say("elsewhere");
      return false;
    }
    if (!answer.ok) throw new Error("not registered");
    const made = await answer.json();
    store.set("device", `${made.device_id}.${made.secret}`);
    store.set("registered", mark(subscription));
    return true;
  }

  const mark = (subscription) => `${areas.join(".")} ${lang} ${subscription.endpoint}`;

  function draw(isOn) {
    on.hidden = isOn;
    off.hidden = !isOn;
    if (Notification.permission === "denied") {
      on.hidden = true;
      say("denied");
    } else {
      say(isOn ? "on" : "off");
    }
  }

  async function tried(work) {
    on.disabled = off.disabled = true;
    try {
      await work();
    } catch {
      say("failed");
    } finally {
      on.disabled = off.disabled = false;
    }
  }

  on.addEventListener("click", () =>
    tried(async () => {
      if ((await Notification.requestPermission()) !== "granted") {
        draw(false);
        return;
      }
      if (await register(await subscribed())) draw(true);
    }),
  );
  off.addEventListener("click", () =>
    tried(async () => {
      // At the city first: were that to fail, the browser would still say so. 401: nothing is there any more.
      const kept = await worker.pushManager.getSubscription();
      let answer = await erase();
      if (answer.status === 401 && kept && (await register(kept))) answer = await erase();
      if (!answer.ok && answer.status !== 401) throw new Error("not erased");
      store.set("device", "");
      store.set("registered", "");
      await kept?.unsubscribe();
      draw(false);
    }),
  );

  section.hidden = false;
  const kept = await worker.pushManager.getSubscription();
  const isOn = Boolean(kept) && Notification.permission === "granted";
  draw(isOn);
  if (isOn && store.get("registered") !== mark(kept)) await tried(() => register(kept));
  else if (!kept && store.get("device")) {
    // The browser dropped its address, or the permission was taken back: nothing of it is kept.
    await tried(async () => {
      await erase();
      store.set("device", "");
      store.set("registered", "");
    });
    draw(false);
  }
}
