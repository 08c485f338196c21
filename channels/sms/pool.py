"""Several SMS providers as one gateway: by weight, away from one that ails, and never a doubt twice over.

Whom a window goes through is said before it is sent, so that the worker can note it: after a kill, what
may have been taken by one provider is sent again through that one or not at all. A provider that knows
its client ids then drops the repeat; another provider could not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

import structlog

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms.brand import Rules
from channels.sms.carrier import Attempt, Carrier
from channels.sms.shares import Policy, Seen, adjust, pick, rest
from schemas.content import Channel
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

_MOST_REFUSED = 100
DOWN = 5.0
"""Lines come back by themselves; nobody is tried meanwhile."""


@dataclass(frozen=True)
class Member:
    """A provider, its part of the messages, and its price (VND) for one short message."""

    carrier: Carrier
    weight: float = 1.0
    price: int = 0
    rules: Rules = field(default_factory=Rules)


class SmsPool:
    """A Gateway and a Router. The shares are this process's own, from what it sees itself."""

    channel = Channel.SMS
    name = "sms"

    def __init__(
        self, members: Sequence[Member], clock: Callable[[], datetime], policy: Policy | None = None
    ) -> None:
        """Raises ValueError for none, or for two of one name."""
        self._members = {member.carrier.name: member for member in members}
        if len(self._members) != len(members):
            raise ValueError("members: two providers have the same name")
        self.window = min((member.carrier.window for member in members), default=1)
        self.shares = rest({name: member.weight for name, member in self._members.items()})
        """As they are now."""
        self._policy, self._clock = policy or Policy(), clock
        self._seen = dict.fromkeys(self._members, Seen())
        self._adjusted = clock()
        self._credit: dict[str, float] = {}
        self._refused: dict[tuple[UUID, int], set[str]] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for member in self._members.values():
                await stack.enter_async_context(member.carrier)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def up(self, name: str) -> bool:
        """Whether a provider can be reached now."""
        return self._members[name].carrier.up

    def rest(self, attempt: int = 1) -> float:  # noqa: ARG002 (a line is for all or for none)
        """As Resting.rest: while no provider has a line, the next look is due in DOWN seconds."""
        return 0.0 if any(member.carrier.up for member in self._members.values()) else DOWN

    def route(self, message: Message, recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
        """As Router.route."""
        tied: defaultdict[str, list[Recipient]] = defaultdict(list)
        for recipient in recipients:
            tied[recipient.via].append(recipient)
        free = tied.pop("", [])
        for some in tied.values():
            yield from (some[at : at + self.window] for at in range(0, len(some), self.window))
        for at in range(0, len(free), self.window):
            name = self._choose(message)
            yield [recipient._replace(via=name) for recipient in free[at : at + self.window]]

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send; each recipient goes through its `via`, those without one through one of ours.

        Raises ValueError for more than a window, PayloadFaultError where all refused the content.
        """
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        results: list[Result] = []
        for some in self.route(message, recipients):
            results += await self._through(some[0].via, message, some)
        return results

    # --- inside -----------------------------------------------------------------------------------

    async def _through(self, name: str, message: Message, some: Sequence[Recipient]) -> list[Result]:
        member = self._members.get(name)
        if member is None:
            # It may have taken them, and is not among us now: no other is asked.
            return [Result(to.rank, Outcome.DEFERRED, "provider not set up", via=name) for to in some]
        at = self._clock()
        if (wait := (member.rules.opens(at) - at).total_seconds()) > 0:
            return [Result(to.rank, Outcome.DEFERRED, "out of hours", wait, via=name) for to in some]
        attempt = await member.carrier.submit(message, some)
        elsewhere = self._elsewhere(name, message, attempt)
        return [
            result._replace(
                outcome=Outcome.DEFERRED if elsewhere and result.rank in attempt.faults else result.outcome,
                via=name,
                cost=result.segments * member.price,
            )
            for result in attempt.results
        ]

    def _elsewhere(self, name: str, message: Message, attempt: Attempt) -> bool:
        """Whether another provider may yet take what this one refused. Raises PayloadFaultError."""
        key = (message.alert_id, message.version)
        refusing = self._refused.get(key, set[str]())
        if attempt.refused_content:
            refusing = self._refused[key] = refusing | {name}
            if len(self._refused) > _MOST_REFUSED:
                del self._refused[next(iter(self._refused))]
            log.warning("sms.content_refused", provider=name, reason=next(iter(attempt.faults.values())))
            if not self._fit(message) - refusing:
                raise PayloadFaultError(next(iter(attempt.faults.values())))
        return bool(self._fit(message) - refusing - {name})

    def _fit(self, message: Message) -> set[str]:
        """Those whose contract carries such a message; all, where none does."""
        fit = {name for name, member in self._members.items() if member.rules.carries(message.lane)}
        return fit or set(self._members)

    def _choose(self, message: Message) -> str:
        self._adjust()
        fit = self._fit(message) - self._refused.get((message.alert_id, message.version), set())
        fit = fit or self._fit(message)
        live = {name for name in fit if self._members[name].carrier.up} or fit
        shares = {name: share.share for name, share in self.shares.items() if name in live}
        name, credit = pick(shares, self._credit)
        self._credit |= credit
        return name

    def _adjust(self) -> None:
        at = self._clock()
        if at - self._adjusted < self._policy.every or len(self._members) == 1:
            return
        self._adjusted = at
        for name, member in self._members.items():
            self._seen[name] = self._seen[name].and_then(member.carrier.drain())
        before, self.shares = self.shares, adjust(self._policy, self.shares, self._seen, at)
        for name, seen in self._seen.items():
            if seen.answers >= self._policy.least:
                self._seen[name] = Seen()
        if any(self.shares[name].share != share.share for name, share in before.items()):
            log.info("sms.shares", **{name: round(share.share, 3) for name, share in self.shares.items()})
