"""Random histories of bodies and their items, told twice: as events, and as what a scanner reads.

Everything happens on a full minute; nearly everything near a boundary of one reading.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID, uuid5

from hypothesis import strategies as st

from schemas.cadence import CadencePolicy, Owes, Reading
from schemas.content import Kind, Mode
from schemas.events import (
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    IssuerClosed,
    IssuerSucceeded,
    Recorded,
)
from schemas.ids import issuer_stream, stream_id
from tests.unit.projections.story import Story

Answer = TypeVar("Answer")

START = datetime(2024, 7, 1, tzinfo=UTC) - timedelta(hours=7)
"""A midnight in Hanoi."""
DAYS = 10
DAY = 24 * 60
END = DAYS * DAY
SPACE = UUID(int=7)
LEVELS = {"a": 1, "b": 2, "c": 3}
"""Every body there is."""


def instant(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


@dataclass(frozen=True)
class Thing:
    """Something that is recorded at a minute."""

    minute: int


@dataclass(frozen=True)
class Register(Thing):
    body: str


@dataclass(frozen=True)
class Issue(Thing):
    body: str
    kind: Kind
    mode: Mode
    cancelled: int | None = None
    in_error: bool = False
    updated: int | None = None


@dataclass(frozen=True)
class Exempt(Thing):
    body: str
    since: int
    until: int | None
    cut_to: int | None = None


@dataclass(frozen=True)
class Close(Thing):
    """`body` ends, and `heir` succeeds it."""

    body: str
    heir: str
    since: int


@dataclass(frozen=True)
class Policy(Thing):
    since: int
    reading: Reading
    days: int
    levels: tuple[int, ...]
    kinds: tuple[Kind, ...]


@dataclass
class History:
    """All that happened, and the questions a scanner answers about it."""

    things: list[Thing]
    reading: Reading
    known_at: int = END
    """What was recorded later is not known."""
    _answers: dict[tuple[str, str, int], Any] = field(default_factory=dict[tuple[str, str, int], Any])

    def known(self, minute: int) -> "History":
        """What was known at a minute."""
        return History([thing for thing in self.things if thing.minute <= minute], self.reading, minute)

    @cached_property
    def log(self) -> list[Recorded]:
        """As the log has it."""
        told: list[tuple[int, int, object]] = []
        for number, thing in enumerate(self.things):
            told.append((thing.minute, number, thing))
            if isinstance(thing, Issue) and thing.updated is not None:
                told.append((thing.updated, number, "update"))
            if isinstance(thing, Issue) and thing.cancelled is not None:
                told.append((thing.cancelled, number, "cancel"))
        story = Story()
        for minute, number, thing in sorted(told, key=lambda one: one[0]):
            story.at = instant(minute)
            _tell(story, self.things[number], number, thing if isinstance(thing, str) else "first")
        return story.log

    # --- the scanner: minute by minute, and knows nothing of the rule's code ----------------------

    def policy(self, minute: int) -> Policy:
        found = Policy(-1, -1, self.reading, 3, (1, 2, 3, 4), (Kind.BULLETIN, Kind.ALERT))
        for thing in self.things:
            if isinstance(thing, Policy) and found.since <= thing.since <= minute:
                found = thing
        return found

    def obliged(self, body: str, minute: int) -> bool:
        """Whether it owes, exempt or not."""
        registered = min(
            (t.minute for t in self.things if isinstance(t, Register) and t.body == body), default=END
        )
        closed = [t for t in self.things if isinstance(t, Close)]
        if not registered <= minute or any(t.body == body and t.since <= minute for t in closed):
            return False
        levels, reached = {LEVELS[body]}, {body}
        for _ in closed:
            reached |= {t.body for t in closed if t.since <= minute and t.heir in reached}
        levels |= {LEVELS[each] for each in reached}
        return bool(levels & set(self.policy(minute).levels))

    def exempt(self, body: str, minute: int) -> bool:
        for thing in self.things:
            if isinstance(thing, Exempt) and thing.body == body and thing.since <= minute:
                until = END * 2 if thing.until is None else thing.until
                if thing.cut_to is not None:
                    until = thing.cut_to
                if minute < until:
                    return True
        return False

    def counted(self, body: str, kinds: tuple[Kind, ...]) -> list[int]:
        return sorted(
            t.minute
            for t in self.things
            if isinstance(t, Issue)
            and t.body == body
            and t.kind in kinds
            and t.mode is Mode.ACTUAL
            and not (t.in_error and t.cancelled is not None and t.cancelled <= self.known_at)
        )

    def states(self, body: str) -> list[str]:
        """`none`, `exempt`, `ok` or `overdue` at each minute."""
        key = ("states", body, 0)
        if key not in self._answers:
            self._answers[key] = self._states(body)
        return self._answers[key]

    def _states(self, body: str) -> list[str]:
        found: list[str] = []
        run, marks = 0, {kinds: set(self.counted(body, kinds)) for kinds in _KINDS}
        last: dict[tuple[Kind, ...], int] = dict.fromkeys(_KINDS, -END)
        for minute in range(END):
            for kinds in _KINDS:
                if minute in marks[kinds]:
                    last[kinds] = minute
            if not self._obliged_fast(body, minute):
                found.append("none")
                run = 0
            elif self._exempt_fast(body, minute):
                found.append("exempt")
                run = 0
            else:
                run += 1
                policy = self._policy_fast(minute)
                start = minute - run + 1
                found.append("overdue" if late(policy, last[policy.kinds], start, minute) else "ok")
        return found

    def due(self, body: str, minute: int) -> int:
        """The first minute at which it would be overdue if nothing happened after `minute`."""
        policy, states = self.policy(minute), self.states(body)
        start = minute
        while start and states[start - 1] in {"ok", "overdue"}:
            start -= 1
        last = max((at for at in self.counted(body, policy.kinds) if at <= minute), default=-END)
        future = range(max(start, last), max(start, last) + (policy.days + 2) * DAY)
        return future[bisect_left(future, True, key=lambda at: late(policy, last, start, at))]

    # Asked at every minute, and the same between two things that happen.
    def _obliged_fast(self, body: str, minute: int) -> bool:
        return self._remember(("obliged", body), minute, lambda at: self.obliged(body, at))

    def _exempt_fast(self, body: str, minute: int) -> bool:
        return self._remember(("exempt", body), minute, lambda at: self.exempt(body, at))

    def _policy_fast(self, minute: int) -> Policy:
        return self._remember(("policy", ""), minute, self.policy)

    def _remember(self, what: tuple[str, str], minute: int, ask: Callable[[int], Answer]) -> Answer:
        key = (*what, self._floor(minute))
        if key not in self._answers:
            self._answers[key] = ask(key[2])
        return self._answers[key]

    def _floor(self, minute: int) -> int:
        return self._floors[minute]

    @cached_property
    def _floors(self) -> list[int]:
        turns = {0}
        for thing in self.things:
            for name in ("minute", "since", "until", "cut_to"):
                at = getattr(thing, name, None)
                if at is not None:
                    turns.add(at)
        floors, last = list[int](), 0
        for minute in range(END):
            last = minute if minute in turns else last
            floors.append(last)
        return floors


def late(policy: Policy, last: int, start: int, minute: int) -> bool:
    """Whether a body that owes without a break since `start` and last issued at `last` is overdue."""
    if policy.reading is Reading.ROLLING:
        begin = minute - policy.days * DAY
        return start <= begin and last <= begin
    today = minute - minute % DAY
    if last >= today:
        return False
    for back in range(1, policy.days + 1):
        begin = today - back * DAY
        if start > begin or begin <= last < begin + DAY:
            return False
    return True


def _tell(story: Story, thing: Thing, number: int, what: str) -> None:
    alert = uuid5(SPACE, str(number))
    match thing:
        case Register(body=body):
            story.body(body, LEVELS[body])
        case Issue(body=body, kind=kind, mode=mode):
            if what == "cancel":
                story.cancel(alert, in_error=thing.in_error)
            else:
                story.issue_as(alert, body, update=what == "update", kind=kind, mode=mode)
        case Exempt(body=body):
            fields = {"issuer_id": body, "exemption_id": alert}
            stream = stream_id("cadence-exemptions", body)
            until = None if thing.until is None else instant(thing.until)
            since = instant(thing.since)
            story.tell(CadenceExempted, stream, **fields, reason="x", starts_at=since, ends_at=until)
            if thing.cut_to is not None:
                story.tell(CadenceExemptionEnded, stream, **fields, ends_at=instant(thing.cut_to))
        case Close(body=body, heir=heir):
            at = instant(thing.since)
            story.tell(
                IssuerClosed, issuer_stream(body), issuer_id=body, successors=(heir,), effective_at=at
            )
            story.tell(
                IssuerSucceeded,
                issuer_stream(heir),
                issuer_id=heir,
                predecessor=body,
                effective_at=at,
                fields=("*",),
            )
        case Policy():
            policy = CadencePolicy(
                reading=thing.reading,
                interval_days=thing.days,
                owes=tuple(Owes(level=level) for level in thing.levels),
                counts=thing.kinds,
            )
            story.tell(
                CadencePolicySet,
                stream_id("cadence-policy"),
                policy=policy,
                effective_at=instant(thing.since),
                reason="x",
            )
        case _:
            raise AssertionError(thing)


_KINDS = ((Kind.BULLETIN, Kind.ALERT), (Kind.BULLETIN,), (Kind.ALERT,))

# Half days, give or take a minute.
minutes = st.tuples(st.integers(0, 2 * DAYS - 1), st.sampled_from((0, 0, 0, 1, -1, 37))).map(
    lambda at: min(END - 1, max(0, at[0] * DAY // 2 + at[1]))
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Three bodies, of which the first always is there."""
    things: list[Thing] = [Register(draw(st.sampled_from((0, 0, 1, DAY // 2))), "a")]
    bodies = ["a"]
    for body in draw(st.sets(st.sampled_from(("b", "c")))):
        things.append(Register(draw(minutes), body))
        bodies.append(body)
    began = {thing.body: thing.minute for thing in things if isinstance(thing, Register)}

    def after(minute: int) -> int:
        return max(minute, draw(minutes))

    for _ in range(draw(st.integers(0, 8))):
        body = draw(st.sampled_from(bodies))
        at = after(began[body])
        cancelled = after(at) if draw(st.integers(0, 3)) == 0 else None
        updated = after(at) if draw(st.integers(0, 3)) == 0 and cancelled is None else None
        mode = draw(st.sampled_from((Mode.ACTUAL, Mode.ACTUAL, Mode.ACTUAL, Mode.TEST, Mode.EXERCISE)))
        kind = draw(st.sampled_from(Kind))
        things.append(Issue(at, body, kind, mode, cancelled, draw(st.booleans()), updated))
    for _ in range(draw(st.integers(0, 2))):
        body = draw(st.sampled_from(bodies))
        since, until = sorted((draw(minutes), draw(minutes)))
        cut = draw(st.none() | st.integers(since, max(since, until)))
        open_ended = draw(st.booleans())
        things.append(Exempt(after(began[body]), body, since, None if open_ended else until, cut))
    if len(bodies) > 1 and draw(st.booleans()):
        ended, heir = draw(st.permutations(bodies))[:2]
        things.append(Close(max(began.values()), ended, heir, after(began[ended])))
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        at = draw(minutes)
        levels = tuple(sorted(draw(st.sets(st.sampled_from((1, 2, 3)), min_size=1))))
        reading, days = draw(st.sampled_from(Reading)), draw(st.integers(1, 4))
        things.append(Policy(at, draw(minutes), reading, days, levels, draw(st.sampled_from(_KINDS))))
    return History(sorted(things, key=lambda one: one.minute), draw(st.sampled_from(Reading)))
