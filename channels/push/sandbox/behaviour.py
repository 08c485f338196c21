"""How the double misbehaves, for everyone and by address."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

Share = Annotated[float, Field(ge=0, le=1)]


class Fault(NamedTuple):
    """An FCM error: its HTTP status and its canonical status."""

    http: int
    status: str


FAULTS = {
    "UNREGISTERED": Fault(404, "NOT_FOUND"),
    "INVALID_ARGUMENT": Fault(400, "INVALID_ARGUMENT"),
    "SENDER_ID_MISMATCH": Fault(403, "PERMISSION_DENIED"),
    "QUOTA_EXCEEDED": Fault(429, "RESOURCE_EXHAUSTED"),
    "UNAVAILABLE": Fault(503, "UNAVAILABLE"),
    "INTERNAL": Fault(500, "INTERNAL"),
    "THIRD_PARTY_AUTH_ERROR": Fault(401, "UNAUTHENTICATED"),
    "UNAUTHENTICATED": Fault(401, "UNAUTHENTICATED"),
}
BY_PREFIX = {
    "gone-": "UNREGISTERED",
    "bad-": "INVALID_ARGUMENT",
    "malformed-": "INVALID_ARGUMENT",
    "mismatch-": "SENDER_ID_MISMATCH",
    "busy-": "UNAVAILABLE",
    "never-": "UNAVAILABLE",
}
"""The error of an address that begins so. "busy-" is refused once, then accepted; "bad-" is told by its
field, "malformed-" in words alone: FCM does both."""


class Behaviour(BaseModel):
    """What goes wrong; all is well by default. Set at run time, whole, by POST /sandbox/behaviour."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Annotated[float, Field(ge=0)] = 0
    """How long each message is kept waiting for its answer."""
    errors: dict[str, Share] = {}
    """The share of messages refused with each error."""
    retry_after: str | None = None
    """The header Retry-After of 429 and 503."""
    bad_body: Share = 0
    """The share that is accepted and answered with what is no JSON."""
    reset: Share = 0
    """The share that is accepted and never answered: the connection is cut."""
    reset_stream: Share = 0
    """The share that is accepted and never answered: the stream is reset (HTTP/2)."""
    refused_stream: Share = 0
    """The share that is given back unread: the stream is reset with REFUSED_STREAM (HTTP/2)."""
    goaway: Share = 0
    """The share that is accepted as the last of its connection: GOAWAY, and none after it is read."""
    streams: Annotated[int, Field(ge=1)] = 100
    """Messages at a time on a new connection, as at FCM."""
    silent: Share = 0
    """The share that is accepted and never answered: the connection stays."""
    token_endpoint_down: bool = False
    """POST /token is cut off."""
    token_lifetime: Annotated[int, Field(ge=1)] = 3600
    """Seconds."""
    revoke_tokens: bool = False
    """At this moment, the tokens given so far end."""
    seed: int | None = None
    """Restarts the dice."""

    @field_validator("errors")
    @classmethod
    def _known(cls, errors: dict[str, float]) -> dict[str, float]:
        if unknown := errors.keys() - FAULTS.keys():
            raise ValueError(f"unknown errors: {', '.join(sorted(unknown))}")
        if sum(errors.values()) > 1:
            raise ValueError("shares add up to more than 1")
        return errors
