"""After an older copy of the database took a newer one's place: nobody is sent to twice for it.

What was open in the copy may have gone out before the newer one was lost. A push that comes again takes
the place of the first on the phone; a short message does not, so it is set aside until a person decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from broadcaster.delivery.ledger import Ledger
from channels.tally import Tally
from schemas.content import Channel
from schemas.dispatch import Dispatch, Outcome
from schemas.events import Actor, HouseRestored

REASON = "RESTORED"
"""Why their dead letters are there."""


@dataclass(frozen=True)
class SetAside:
    """Orders by SMS that are dead letters now, and how many recipients are in doubt in them."""

    orders: int = 0
    recipients: int = 0


def set_aside(ledger: Ledger, orders: Iterable[Dispatch], at: datetime) -> SetAside:
    """Ends the open orders by SMS, but those whose time is over. Safe to repeat."""
    open_ = (order for order in orders if order.channel is Channel.SMS and order.expires_at > at)
    doubtful = [count for order in open_ if (count := _end(ledger, order, at))]
    return SetAside(len(doubtful), sum(doubtful))


def _end(ledger: Ledger, order: Dispatch, at: datetime) -> int:
    claim = ledger.claim(order, at)
    if claim.done:
        return 0
    tally = Tally(order)
    # Whom the provider had put off may have been tried again since.
    tally.note([result for result in claim.noted if result.outcome is not Outcome.DEFERRED])
    doubtful = tally.pending()
    tally.doubtful.update(doubtful)
    tally.close_rest(Outcome.DEAD, REASON)
    ledger.close(tally.receipt(provider="", at=at, jitter=0.0), claim.claims, (), at)
    return len(doubtful)


def record(by: Actor, known_until: datetime, found: SetAside, reason: str) -> HouseRestored:
    """What the log is told, that it is an older one."""
    return HouseRestored(
        originator_id=uuid4(),
        originator_version=1,
        by=by,
        known_until=known_until,
        orders=found.orders,
        recipients=found.recipients,
        reason=reason,
    )
