"""Stream and message ids that are functions of what they name, so a repeat names the same thing."""

from uuid import UUID, uuid5

NAMESPACE = UUID("5d0f6f0e-5c3a-5a0c-9e0b-1a2c05000000")


def stream_id(kind: str, *parts: object) -> UUID:
    """The stream of the thing of this kind that the parts name, for example ("issuer", "so-y-te")."""
    return uuid5(NAMESPACE, "/".join((kind, *(str(part) for part in parts))))


REGISTER_STREAM = stream_id("area-register")


def boundaries_stream(edition: str) -> UUID:
    """The stream of the boundaries of one edition's communes."""
    return stream_id("area-boundaries", edition)


def issuer_stream(issuer_id: str) -> UUID:
    """The stream of one issuing body."""
    return stream_id("issuer", issuer_id)


def account_stream(account: str) -> UUID:
    """The stream of the roles of one account."""
    return stream_id("account", account)


def credentials_stream(account: str) -> UUID:
    """The stream of what opens one account."""
    return stream_id("credentials", account)


def key_stream(key_id: str) -> UUID:
    """The stream of one API key."""
    return stream_id("key", key_id)


def key_made_stream(key_id: str) -> UUID:
    """The stream of one API key's making: its end is the first event of `key_stream`."""
    return stream_id("key-made", key_id)


def delegations_stream(grantee: str) -> UUID:
    """The stream of what other bodies have delegated to one body."""
    return stream_id("delegations", grantee)


def audience_id(alert_id: UUID, version: int, channel: str, wave: int = 0) -> UUID:
    """The frozen audience of one version of an alert on one channel; or a further wave of it, from 1."""
    return stream_id("audience", alert_id, version, channel, *([wave] if wave else []))


def dispatch_id(alert_id: UUID, version: int, channel: str, first: int, attempt: int) -> UUID:
    """The dispatch of the slice that starts at rank `first`: the same at every replay."""
    return stream_id("dispatch", alert_id, version, channel, first, attempt)


def replay_id(dispatch: UUID, attempt: int) -> UUID:
    """An attempt of the replay of that dispatch's dead letter: an operator replays it once."""
    return stream_id("replay", dispatch, attempt)


def part_id(line: UUID, lowest: int, attempt: int) -> UUID:
    """A follow-up beside its slice's own, for ranks that wait longer; `line` is that slice's first attempt.

    No two share an attempt and their lowest rank: in an attempt each rank is in one dispatch.
    """
    return stream_id("part", line, lowest, attempt)


def canary_stream(lane: str) -> UUID:
    """The test items of one lane; stands where an alert's id does in their dispatches."""
    return stream_id("canary", lane)


ROUTE_STREAM = stream_id("push-route")
HALTS_STREAM = stream_id("push-topics-halts")


_CANARIES = frozenset(canary_stream(lane) for lane in ("emergency", "alert", "bulletin"))


def is_canary(alert_id: UUID) -> bool:
    """Whether it is no alert's id but that of test items."""
    return alert_id in _CANARIES


def canary_late_stream(lane: str, channel: str, number: int) -> UUID:
    """The alarm about one test item."""
    return stream_id("canary-late", lane, channel, number)
