"""The loop of every command: load, decide, append; decide again where another was faster."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial, reduce
from typing import Any, TypeVar
from uuid import UUID

from broadcaster.log import AlertLog, ConflictError, Once, StaleError, Versioned
from broadcaster.rules import RefusedError
from schemas.events import AccessEvent, AlertEvent, BodyEvent, Event, ScreenGroupEvent, TemplateEvent
from schemas.events.base import topics

TRIES = 5


GROUND = topics(BodyEvent, TemplateEvent)
"""On what it depends who may say what, where: bodies, roles, delegations, areas, approved texts.

A right taken away while it is used is a lost race: the command is decided again without it.
"""
ENTRY_GROUND = GROUND + topics(AccessEvent)
"""On what it depends who may let whom in: the same is asked for once, and confirmed once."""
SHOWING_GROUND = GROUND + topics(AlertEvent, ScreenGroupEvent)
"""On what it depends who may leave screens out of an alert: how far it has come, and the groups."""

Made = TypeVar("Made")
State = TypeVar("State", bound=Versioned)
Fold = Callable[[State | None, Any], State]
Decided = Event | Sequence[Event]
"""One event, or several that are appended all or none."""


def insist(attempt: Callable[[], Made], what: str) -> Made:
    """What the attempt makes: it loads, decides and appends, and is made again where it lost a race.

    `what` is the subject of the complaint, "body x is", where others are faster each time: ConflictError.
    A caller who named the version that he saw is not decided for again: StaleError.
    """
    for _ in range(TRIES):
        try:
            return attempt()
        except StaleError:
            raise
        except ConflictError:
            continue
    raise ConflictError(f"{what} being changed by others; try again")


def begin(
    log: AlertLog,
    fold: Fold[State],
    decide: Callable[[], Event],
    *,
    at: datetime,
    once: Once | None,
    what: str,
) -> State:
    """Begins a stream as decided; a repeat under the same key gets what the first one made.

    Raises ConflictError where others are faster each time.
    """

    def attempt() -> State:
        ground = log.ground(GROUND)
        event = decide()
        log.append([event], at=at, once=once, ground=ground)
        return fold(None, event)

    return insist(partial(_first_or, attempt, log, fold, once), what)


def change(
    log: AlertLog,
    load: Callable[[UUID], State],
    fold: Fold[State],
    stream: UUID,
    decide: Callable[[State], Decided],
    *,
    at: datetime,
    expected: int | None = None,
    once: Once | None = None,
    what: str | None = None,
) -> State:
    """Changes a stream as decided on what it holds; `expected` is the version the caller saw.

    A repeat under the same key gets what the first one made. Raises StaleError where the stream moved
    on from `expected`, ConflictError where others are faster each time.
    """

    def attempt() -> State:
        # Before anything is read that the decision stands on.
        ground = log.ground(GROUND)
        state = load(stream)
        if expected is not None and state.version != expected:
            raise StaleError(f"the stream is at {state.version}, the caller saw {expected}")
        decided = decide(state)
        events = [decided] if isinstance(decided, Event) else decided
        log.append(events, at=at, once=once, ground=ground)
        return reduce(fold, events, state)

    return insist(partial(_first_or, attempt, log, fold, once), what or f"{stream} is")


def _first_or(attempt: Callable[[], State], log: AlertLog, fold: Fold[State], once: Once | None) -> State:
    """What the first use of the key made, else what the attempt does."""
    first = recalled(log, fold, once)
    if first is not None:
        return first
    try:
        return attempt()
    except (RefusedError, StaleError):
        # The first use may have come between, and what it made is why this one is refused.
        first = recalled(log, fold, once)
        if first is None:
            raise
        return first


def recalled(log: AlertLog, fold: Fold[State], once: Once | None) -> State | None:
    """What the first use of the key made; None where this is the first."""
    made = log.recall(once) if once else None
    return log.load(made[0], fold, upto=made[1]) if made else None
