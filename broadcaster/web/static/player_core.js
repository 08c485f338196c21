// The rules of a screen, pure: feed documents and steady milliseconds in, what to show out.
// The same rules as broadcaster/player/controller.py; tests hold the two equal.

export const IDLE = "Thành phố Hà Nội";
const SCHEMA = "led-feed/1";
const DRIFT = 5000;
const CONFIRM_MS = 1000;
const ROUTINE_OFFLINE_S = 900;
const MARKS = { actual: "", exercise: "DIỄN TẬP", test: "THỬ NGHIỆM" };
const KEPT_GONE = 1000;
const PLAYS_IN_ONE = 200;
const KEPT_PLACES = 16;
const MINUTE_MS = 60000;
const FLASH_MS = 1000;
const LONGEST_FLASH_MS = 60000;

const whole = (value) => {
  if (!Number.isSafeInteger(value)) throw new TypeError("a whole number is expected");
  return value;
};
const words = (value) => {
  if (value === undefined) throw new TypeError("words are expected");
  return String(value);
};
const within = (seconds, least, most) => Math.trunc(Math.min(most, Math.max(least, seconds)) * 1000);
// By code points, as the controller sorts.
const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function page(told) {
  const ms = Math.min(60000, Math.max(500, whole(told.ms ?? 4000)));
  return { ms, lines: told.lines.map(String) };
}

function item(told) {
  try {
    const status = told.status ?? "actual";
    if (!Object.hasOwn(MARKS, status) || !["preempt", "rotate"].includes(told.mode)) return null;
    const routine = told.kind === "bulletin" ? ROUTINE_OFFLINE_S : null;
    const offline = told.offline_max_s === undefined ? routine : told.offline_max_s;
    const pages = (told.pages ?? []).map(page);
    return {
      id: words(told.id),
      rev: whole(told.rev),
      preempt: told.mode === "preempt",
      priority: whole(told.priority),
      startsAt: whole(told.starts_at),
      expiresAt: whole(told.expires_at),
      severity: String(told.severity ?? ""),
      text: String(told.text ?? ""),
      pages: pages.length ? pages : [{ ms: 4000, lines: [words(told.text)] }],
      mark: MARKS[status],
      offlineMs: offline === null ? null : Math.trunc(offline * 1000),
      anyClock: told.show_if_untrusted_clock === true,
    };
  } catch (error) {
    if (error instanceof TypeError) return null; // the rest of the feed is shown
    throw error;
  }
}

/** Quiet hours; what cannot be read of them hides nothing. */
function quietOf(display) {
  const told = display?.quiet;
  const [begins, ends] = [minuteOf(told?.from), minuteOf(told?.until)];
  const offset = told?.utc_offset_min;
  if (begins === null || ends === null || !Number.isSafeInteger(offset)) return null;
  return { begins, ends, offset, hidesAll: told.hides_emergencies === true };
}

function minuteOf(text) {
  if (typeof text !== "string" || !/^[0-2][0-9]:[0-5][0-9]$/.test(text)) return null;
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

/** Percent; a screen that is bright by mistake is better than one that is dark. */
function brightnessOf(display) {
  const told = display?.brightness;
  return Number.isSafeInteger(told) && told >= 1 && told <= 100 ? told : 100;
}

/** Whether quiet hours hold back an item at an instant. */
function isHushed(quiet, now, { preempt }) {
  if (!quiet || (preempt && !quiet.hidesAll)) return false;
  const minute = (((Math.floor(now / MINUTE_MS) + quiet.offset) % 1440) + 1440) % 1440;
  const { begins, ends } = quiet;
  return begins <= ends ? begins <= minute && minute < ends : minute >= begins || minute < ends;
}

/** The feed of a body. Throws for what is no feed; then what is on stays on. */
export function parse(body) {
  const told = JSON.parse(body);
  if (told?.schema !== SCHEMA) throw new TypeError(`schema: ${SCHEMA} is expected`);
  const policy = told.policy ?? {};
  const items = told.items.map(item);
  return {
    epoch: whole(told.epoch ?? 0),
    seq: whole(told.seq),
    place: `${told.area ?? ""} ${told.profile ?? ""} ${Boolean(told.drills)}`,
    items: items.filter((one) => one !== null),
    bad: items.filter((one) => one === null).length,
    cancelled: (told.cancelled ?? []).map((one) => [words(one.id), whole(one.rev)]),
    idle: page(told.idle ?? { lines: [IDLE] }),
    pollMs: within(policy.poll_s ?? 10, 1, 3600),
    emergencyMs: within(policy.poll_emergency_s ?? 3, 1, 3600),
    jitter: Math.min(1, Math.max(0, Number(policy.jitter ?? 0.2))),
    staleMs: within(policy.stale_after_s ?? 120, 1, 86400),
    quiet: quietOf(told.display),
    brightness: brightnessOf(told.display),
    excluded: new Map((told.excluded ?? []).map((one) => [words(one.id), whole(one.rev)])),
  };
}

/** The server's time between bounds: what is over by the latest it can be is over. */
class Clock {
  constructor(reached, start) {
    this.reached = reached; // an instant that is surely past
    this.start = start;
    this.known = null;
    this.doubt = null;
  }

  heard(serverMs, sent, received) {
    const fresh = aged({ low: serverMs - received - 1, high: serverMs + 1 - sent, at: sent }, received);
    if (this.known ? meets(aged(this.known, received), fresh) : received + fresh.high >= this.reached) {
      const old = this.known ? aged(this.known, received) : fresh;
      this.known = {
        low: Math.max(old.low, fresh.low),
        high: Math.min(old.high, fresh.high),
        at: received,
      };
      this.doubt = null;
      return;
    }
    // What fits nothing before it is believed the second time, once its clock has moved on.
    const again = this.doubt !== null && meets(aged(this.doubt, received), fresh);
    if (again && received - this.doubt.at >= CONFIRM_MS) {
      this.known = fresh;
      this.doubt = null;
    } else if (!again) this.doubt = fresh;
  }

  now(steady) {
    if (this.known) return steady + aged(this.known, steady).high + 1;
    return this.reached + Math.max(0, steady - this.start);
  }

  earliest(steady) {
    return this.known ? steady + aged(this.known, steady).low : this.now(steady);
  }
}

function aged(bounds, at) {
  const slack = Math.ceil(Math.max(0, at - bounds.at) / DRIFT);
  return { low: bounds.low - slack, high: bounds.high + slack, at };
}

const meets = (one, other) => one.low <= other.high && other.low <= one.high;

/** Of what is live, what has the screen for itself; a rehearsal never hides what is meant. */
function alone(live) {
  const meant = live.filter((one) => !one.mark);
  const first = (meant.length ? meant : live).filter((one) => one.preempt);
  return first.length ? first.filter((one) => one.priority === first[0].priority) : live;
}

/** The state of a screen. Steady instants are whole milliseconds since the page began. */
export class Player {
  constructor(steady, kept = {}) {
    this.clock = new Clock(kept.reached ?? 0, steady);
    this.body = kept.body ?? "";
    this.etag = "";
    this.feed = null;
    try {
      if (this.body) {
        this.feed = parse(this.body);
        this.etag = kept.etag ?? "";
      }
    } catch {
      this.body = ""; // of an older version of this file: the feed is fetched anew
    }
    this.contact = kept.contact ?? null;
    this.floors = new Map(kept.floors ?? []);
    this.gone = new Map(kept.gone ?? []);
    this.told = new Set(kept.told ?? []);
    this.pending = kept.pending ?? [];
    this.plays = new Map(kept.plays ?? []);
    this.batch = kept.batch ?? null; // on its way: the same under the same name until the house has it
    this.on = null;
    this.onSince = steady;
    this.flashUntil = 0;
  }

  kept(steady) {
    return {
      reached: this.clock.earliest(steady),
      body: this.body,
      etag: this.etag,
      contact: this.contact,
      floors: [...this.floors],
      gone: [...this.gone],
      told: [...this.told],
      pending: this.pending,
      plays: [...this.plays],
      batch: this.batch,
    };
  }

  unchanged(serverMs, sent, received) {
    this.touch(serverMs, sent, received);
    return "same";
  }

  /** "new", or "old" for a feed from before the one that is on. Throws for what is no feed. */
  answered(body, etag, serverMs, sent, received) {
    const feed = parse(body);
    const [epoch, seq] = this.floors.get(feed.place) ?? [-1, -1];
    if (feed.epoch < epoch || (feed.epoch === epoch && feed.seq < seq)) return "old";
    if (feed.epoch > epoch) this.gone.clear();
    this.touch(serverMs, sent, received);
    this.floors.delete(feed.place);
    this.floors.set(feed.place, [feed.epoch, feed.seq]);
    while (this.floors.size > KEPT_PLACES) this.floors.delete(this.floors.keys().next().value);
    for (const [id, rev] of feed.cancelled) {
      const last = Math.max(rev, this.gone.get(id) ?? rev);
      this.gone.delete(id);
      this.gone.set(id, last);
    }
    while (this.gone.size > KEPT_GONE) this.gone.delete(this.gone.keys().next().value);
    Object.assign(this, { feed, body, etag });
    // Who is left out for a while has been told all the same.
    const known = new Set([...feed.items.map((one) => one.id), ...feed.excluded.keys()]);
    this.told = new Set([...this.told].filter((shown) => known.has(shown.slice(0, shown.lastIndexOf("/")))));
    return "new";
  }

  touch(serverMs, sent, received) {
    if (serverMs !== null) this.clock.heard(serverMs, sent, received);
    this.contact = this.clock.now(received);
  }

  /** The house asks it to make itself known until an instant (X-Screen-Identify). */
  flashes(until, steady) {
    if (this.clock.known) this.flashUntil = Math.min(until, this.clock.now(steady) + LONGEST_FLASH_MS);
  }

  live(steady) {
    const now = this.clock.now(steady);
    const silent = this.contact === null ? 0 : now - this.contact;
    return (this.feed?.items ?? [])
      .filter(
        (one) =>
          one.startsAt <= now &&
          now < one.expiresAt &&
          (this.clock.known || one.anyClock) &&
          (this.gone.get(one.id) ?? -1) < one.rev &&
          (this.feed.excluded.get(one.id) ?? -1) < one.rev &&
          !isHushed(this.feed.quiet, now, one) &&
          (one.offlineMs === null || silent < one.offlineMs),
      )
      .sort((a, b) => b.priority - a.priority || byText(a.id, b.id));
  }

  /** What takes turns on the screen now. */
  turns(steady) {
    return alone(this.live(steady));
  }

  get isUrgent() {
    return Boolean(this.feed?.items.some((one) => one.preempt));
  }

  /** What to show; `wait` is the milliseconds after which to ask again. */
  picture(steady) {
    const now = this.clock.now(steady);
    const stale =
      this.contact === null || !this.feed || !this.clock.known || now - this.contact >= this.feed.staleMs;
    const turns = this.turns(steady);
    const brightness = this.feed?.brightness ?? 100;
    const flash = now < this.flashUntil && Math.floor(now / FLASH_MS) % 2 === 0;
    const told = { stale, brightness, flash };
    let wait = this.pause(now);
    if (!turns.length) {
      const { lines } = this.feed?.idle ?? { lines: [IDLE] };
      return { ...told, id: null, rev: 0, number: 1, of: 1, lines, mark: "", severity: "", text: "", wait };
    }
    const pages = turns.flatMap((one) => one.pages.map((each, index) => [one, each, index]));
    let at = now % pages.reduce((sum, [, each]) => sum + each.ms, 0);
    for (const [one, each, index] of pages) {
      if (at < each.ms) {
        wait = Math.min(wait, each.ms - at);
        const { id, rev, mark, severity, text } = one;
        const place = { number: index + 1, of: one.pages.length, lines: each.lines };
        return { ...told, ...place, id, rev, mark, severity, text, wait };
      }
      at -= each.ms;
    }
    throw new RangeError("the rest of a division is less than the divisor");
  }

  pause(now) {
    const ahead = [60000];
    if (this.feed) {
      const instants = this.feed.items.flatMap((one) => [one.startsAt, one.expiresAt]);
      if (this.contact !== null) {
        instants.push(this.contact + this.feed.staleMs);
        for (const one of this.feed.items) instants.push(this.contact + (one.offlineMs ?? 0));
      }
      if (this.feed.quiet) instants.push(now - (now % MINUTE_MS) + MINUTE_MS);
      ahead.push(...instants.filter((at) => at > now).map((at) => at - now));
    }
    if (now < this.flashUntil) ahead.push(FLASH_MS - (now % FLASH_MS));
    const least = Math.min(...ahead);
    return Math.max(1, least - Math.floor(least / (DRIFT / 2)) - 2);
  }

  /** It was on; whether that is the first time, and to be reported. */
  showed({ id, rev }) {
    if (id === null || this.told.has(`${id}/${rev}`)) return false;
    this.told.add(`${id}/${rev}`);
    this.pending.push([id, rev]);
    return true;
  }

  /** Notes how long was on what was on, and that this is on now: a play begins after something else. */
  counted({ id, rev }, steady) {
    const now = this.clock.now(steady);
    const former = this.on;
    const on = id !== null && this.clock.known ? `${id}/${rev}` : null;
    const was = this.plays.get(former);
    if (was) {
      was.ms += Math.max(0, steady - this.onSince);
      was.last = now;
    }
    if (on !== null && (on !== former || !this.plays.has(on))) {
      const again = this.plays.get(on) ?? { plays: 0, ms: 0, first: now, last: now };
      if (on !== former) Object.assign(again, { plays: again.plays + 1, last: now });
      if (this.plays.size < PLAYS_IN_ONE || this.plays.has(on)) this.plays.set(on, again);
    }
    this.on = on;
    this.onSince = steady;
  }

  /** The plays to tell the house next, as `name` where they are not on their way yet. */
  toldOf(name) {
    if (this.batch === null && this.plays.size) {
      const plays = [...this.plays].map(([shown, { plays: times, ms, first, last }]) => {
        const at = shown.lastIndexOf("/");
        return {
          alert_id: shown.slice(0, at),
          version: Number(shown.slice(at + 1)),
          plays: times,
          seconds: Math.floor(ms / 1000),
          first_at: new Date(first).toISOString(),
          last_at: new Date(last).toISOString(),
        };
      });
      this.batch = { batch: name, plays };
      this.plays = new Map();
    }
    return this.batch;
  }

  reported(count) {
    this.pending.splice(0, count);
  }
}

/** Milliseconds until the next poll; `chance` is from 0 to 1. `outcome` is null after a failure. */
export function pause(player, outcome, failures, chance, holds) {
  if (outcome === null) return Math.max(500, Math.min(60, 2 ** Math.min(failures, 6)) * 1000 * chance);
  if (outcome === "new") return 2000 * chance;
  if (holds) return 100 * chance;
  if (!player.feed) return 10000;
  const every = player.isUrgent ? player.feed.emergencyMs : player.feed.pollMs;
  return every * (1 + player.feed.jitter * (2 * chance - 1));
}
