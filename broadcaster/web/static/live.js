// What changes on the server, over one stream for the whole browser: of its visible tabs one leads (Web Locks) and
// tells the others (BroadcastChannel). A hidden tab rests: it neither leads nor draws. What is told is always a
// whole, so whoever comes late is given the last of each kind and has missed nothing.

const AGAIN = [1000, 2000, 5000, 10000, 30000];
const SILENCE = 40000; // The server says something every 15 seconds, if only that it is there.

export function listen(take, say) {
  const { stream, account } = document.body.dataset;
  const name = `console-live-${account}`;
  const channel = new BroadcastChannel(name);
  const latest = new Map();
  let resting = new AbortController();
  let leading = false;
  let state = "";

  function hear(message) {
    if (message.state) state = message.state;
    else latest.set(message.kind, message.data);
    if (document.hidden) return;
    if (message.state) say(message.state);
    else take(message.kind, message.data);
  }

  function tell(message) {
    hear(message);
    channel.postMessage(message);
  }

  channel.addEventListener("message", ({ data }) => {
    if (!data.ask) hear(data);
    else if (leading) {
      for (const [kind, each] of latest) channel.postMessage({ kind, data: each });
      if (state) channel.postMessage({ state });
    }
  });

  // Answers whether it should be opened again.
  async function read(signal, silence) {
    const answer = await fetch(stream, { signal, cache: "no-store", headers: { Accept: "text/event-stream" } });
    if (answer.redirected || answer.status === 401 || answer.status === 403) return false;
    if (!answer.ok) throw new Error(`${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("closed");
      silence();
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const [, kind, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
        if (kind === "end") return JSON.parse(data).why !== "session";
        if (kind) {
          if (state !== "on") tell({ state: "on" });
          tell({ kind, data: JSON.parse(data) });
        }
      }
    }
  }

  async function lead(rest) {
    leading = true;
    let failures = 0;
    let open = true;
    while (open && !rest.aborted) {
      const once = new AbortController();
      const stop = () => once.abort();
      let timer = setTimeout(stop, SILENCE);
      rest.addEventListener("abort", stop);
      try {
        open = await read(once.signal, () => {
          failures = 0;
          clearTimeout(timer);
          timer = setTimeout(stop, SILENCE);
        });
      } catch {
        if (!rest.aborted) tell({ state: "lost" });
      }
      clearTimeout(timer);
      rest.removeEventListener("abort", stop);
      if (open && !rest.aborted) {
        // Spread out, so that a whole house does not come back in the same moment.
        await pause(AGAIN[Math.min(failures, AGAIN.length - 1)] * (0.5 + Math.random()), rest);
        failures += 1;
      }
    }
    if (!open) {
      tell({ state: "out" });
      await pause(2 ** 31 - 1, rest);
    }
    leading = false;
  }

  function wake() {
    resting.abort();
    resting = new AbortController();
    const { signal } = resting;
    channel.postMessage({ ask: true });
    // Without Web Locks (plain http on another host) each visible tab has a stream of its own.
    const led = navigator.locks ? navigator.locks.request(name, { signal }, () => lead(signal)) : lead(signal);
    led.catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? resting.abort() : wake()));
  addEventListener("pagehide", () => resting.abort());
  addEventListener("pageshow", (event) => event.persisted && wake());
  if (!document.hidden) wake();
}

function pause(wait, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
