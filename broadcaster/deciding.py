"""The loop of every command on one stream: load, decide, append; decide again where another was faster."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from broadcaster.log import AlertLog, ConflictError, Once, StaleError, Versioned
from schemas.events import Event

TRIES = 5


State = TypeVar("State", bound=Versioned)
Fold = Callable[[State | None, Any], State]


def begin(log: AlertLog, fold: Fold[State], event: Event, *, at: datetime, once: Once | None) -> State:
    """Begins a stream; a repeat under the same key gets what the first one made."""
    try:
        log.append([event], at=at, once=once)
    except ConflictError:
        first = recalled(log, fold, once)
        if first is None:
            raise
        return first
    return fold(None, event)


def change(
    log: AlertLog,
    load: Callable[[UUID], State],
    fold: Fold[State],
    stream: UUID,
    decide: Callable[[State], Event],
    *,
    at: datetime,
    expected: int | None = None,
    once: Once | None = None,
) -> State:
    """Changes a stream as decided on what it holds; `expected` is the version the caller saw.

    Raises StaleError where it moved on from there, ConflictError where others are faster each time.
    """
    for _ in range(TRIES):
        first = recalled(log, fold, once)
        if first is not None:
            return first
        state = load(stream)
        if expected is not None and state.version != expected:
            raise StaleError(f"the stream is at {state.version}, the caller saw {expected}")
        event = decide(state)
        try:
            log.append([event], at=at, once=once)
        except ConflictError:
            continue
        return fold(state, event)
    raise ConflictError(f"{stream} is being changed by others; try again")


def recalled(log: AlertLog, fold: Fold[State], once: Once | None) -> State | None:
    """What the first use of the key made; None where this is the first."""
    made = log.recall(once) if once else None
    return log.load(made[0], fold, upto=made[1]) if made else None
