"""The state table of an alert: what may be asked of it, and when. docs/alert-lifecycle.md draws it.

Two things move: the alert's life, and the stage of the one version that may be in work.
"""

from enum import StrEnum
from itertools import product


class Life(StrEnum):
    """Where the alert as a whole stands."""

    NEW = "new"
    LIVE = "live"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    """Its first version was turned down; nothing of it ever went out."""


class Stage(StrEnum):
    """Where the version in work stands; NONE when there is none."""

    NONE = "none"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    """Approved, and will go out by itself at its time."""


class Command(StrEnum):
    """What can be asked of an alert that exists."""

    REVISE = "revise"
    SUBMIT = "submit"
    RETURN = "return"
    REJECT = "reject"
    APPROVE = "approve"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    ISSUE = "issue"
    UPDATE = "update"
    CORRECT = "correct"
    CANCEL = "cancel"
    EXPIRE = "expire"


_OPEN = (Life.NEW, Life.LIVE)
_READY = (Stage.APPROVED, Stage.SCHEDULED)
_IN_REVIEW = frozenset((life, stage) for life in _OPEN for stage in (Stage.SUBMITTED, *_READY))

TABLE: dict[Command, frozenset[tuple[Life, Stage]]] = {
    Command.REVISE: frozenset(product(_OPEN, (Stage.DRAFT,))),
    Command.SUBMIT: frozenset(product(_OPEN, (Stage.DRAFT,))),
    Command.RETURN: _IN_REVIEW,
    Command.REJECT: _IN_REVIEW,
    Command.APPROVE: frozenset(product(_OPEN, (Stage.SUBMITTED,))),
    Command.SCHEDULE: frozenset(product(_OPEN, _READY)),
    Command.UNSCHEDULE: frozenset(product(_OPEN, (Stage.SCHEDULED,))),
    Command.ISSUE: frozenset(product(_OPEN, _READY)),
    Command.UPDATE: frozenset({(Life.LIVE, Stage.NONE)}),
    # A text approved beforehand puts right what is out; what else was in work gives way.
    Command.CORRECT: frozenset(product((Life.LIVE,), Stage)),
    Command.CANCEL: frozenset(product((Life.LIVE,), Stage)),
    Command.EXPIRE: frozenset(product((Life.LIVE,), Stage)),
}
