"""What the pool asks of one provider, whichever protocol it speaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms.shares import Seen
from schemas.dispatch import Outcome


@dataclass
class Attempt:
    """What came of one window: a result for each recipient.

    `faults` names, by rank, refusals that are about what is said or how, not about whom it is for; their
    results are `refused`.
    """

    results: list[Result]
    faults: dict[int, str] = field(default_factory=dict[int, str])

    @property
    def refused_content(self) -> bool:
        """Whether the content was refused, and nobody got it."""
        return bool(self.faults) and not any(result.outcome is Outcome.ACCEPTED for result in self.results)

    def settled(self) -> list[Result]:
        """The results. Raises PayloadFaultError where the content was refused and nobody got it."""
        if self.refused_content:
            raise PayloadFaultError(next(iter(self.faults.values())))
        return self.results


class Carrier(Protocol):
    """One provider: a gateway of its own that also tells how it fares."""

    name: str
    window: int

    @property
    def up(self) -> bool:
        """Whether a message would find a line now."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def submit(self, message: Message, recipients: Sequence[Recipient]) -> Attempt:
        """Sends to each recipient, as Gateway.send, and raises for no fault of theirs or ours."""
        ...

    def drain(self) -> Seen:
        """What was seen of it since the last call."""
        ...
