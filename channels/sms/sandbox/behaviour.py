"""How a double misbehaves: for some numbers always, for all when asked."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

INVALID = "0000001"
"""Numbers that end so are refused as no address at all."""
THROTTLED_ONCE = "0000002"
"""Put off at the first try, accepted at the next."""
THROTTLED = "0000003"
"""Put off at every try."""
GONE = "0000004"
"""Refused as no longer in use."""
UNDELIVERED = "0000005"
"""Accepted; the receipt says that it could not be delivered."""
TOO_LATE = "0000006"
"""Accepted; the receipt says that it expired."""


class Behaviour(BaseModel):
    """What goes wrong; all is well by default. Set at run time, whole."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Annotated[float, Field(ge=0)] = 0
    """How long each answer is kept back."""
    throttle_share: Annotated[float, Field(ge=0, le=1)] = 0
    """The share of messages put off, evenly spread."""
    error_share: Annotated[float, Field(ge=0, le=1)] = 0
    """The share of messages answered with an error of the provider's own, evenly spread."""
    drop_every: Annotated[int, Field(ge=0)] = 0
    """At every so many messages the line breaks: the message is taken, its answer never sent."""
    silent: bool = False
    """Messages are taken and never answered; the line stays."""
    refuse_content: bool = False
    """What is said is refused, whoever it is for: the brand name (SMPP), the mail (SMTP)."""
    forget_repeats: bool = False
    """A repeat of a client id is answered as the first was, and not taken again."""
    receipts: bool = True
    """Delivery receipts are sent to who asks for them (SMPP only)."""
    receipt_delay_ms: Annotated[float, Field(ge=0)] = 0
    """How long after the answer a receipt comes, on whichever line is up then."""
