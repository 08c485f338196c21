"""What a worker asks of the house: the ledger's word on a dispatch, what to say, and whom to."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from channels.gateway import Message, Recipient, Result
from schemas.dispatch import Dispatch, Receipt


class HoldLostError(RuntimeError):
    """Another worker claimed the dispatch meanwhile, and carries it out: nothing more is sent or told here.

    Whom we were sending to is in doubt with that worker, and owned up to in its receipt.
    """


class Claim(NamedTuple):
    """What the ledger knows of a dispatch once this worker holds it."""

    done: bool
    """It has its receipt already: nothing to do but acknowledge."""
    claims: int
    """How often it was claimed, this time included: the hold, which ends with the next claim."""
    noted: tuple[Result, ...]
    """Results of an earlier holder."""
    in_doubt: frozenset[int]
    """Ranks an earlier holder was sending to when it died: they may have been reached."""
    via: str = ""
    """The provider it was sending them through, where there are several."""


class Desk(Protocol):
    """What a worker needs from the house; runtime passes it in. Calls block; they run in threads."""

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        """Holds the dispatch."""
        ...

    def message(self, dispatch: Dispatch) -> Message | None:
        """What to say; None where a later version or a cancel made it moot."""
        ...

    def ahead(self, dispatch: Dispatch) -> bool:
        """Whether an earlier version of the alert is being sent on the channel at this moment."""
        ...

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        """Of a withdrawal: whether none of its recipients was, or will be, sent what it withdraws."""
        ...

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        """Addresses of these ranks; one that has been erased since is absent."""
        ...

    def progress(
        self, dispatch: Dispatch, hold: int, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None:
        """Notes results, and who is in doubt from now on (they are sent to next), and through whom.

        Raises HoldLostError.
        """
        ...

    def note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None:
        """Notes results of dispatches while their others are still being sent to, in one transaction."""
        ...

    def close(self, receipt: Receipt, hold: int, gone: Sequence[Recipient], at: datetime) -> None:
        """Appends the receipt, then erases the addresses that are gone. Raises HoldLostError."""
        ...
