"""Who a version of an alert is for, and how that is cut into dispatches. Pure."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from pyroaring import BitMap64

from projections.fanout.order import groups_of, runs
from schemas.content import Channel
from schemas.dispatch import Dispatch
from schemas.events import Actor, AlertCancelled, AlertIssued, AudienceFrozen, CanarySent, HomeGroup, Spared
from schemas.ids import audience_id, dispatch_id

FANOUT = Actor(account="system:fanout")

SLICE_SIZES: Mapping[Channel, int] = MappingProxyType({Channel.PUSH: 500, Channel.SMS: 50})
"""Recipients in one dispatch: 500 is FCM's most in one call; an SMS line is slow, and a slice must end
well within the transport's ack time."""

CANCEL_LIFE = timedelta(hours=24)
"""How long the word that an alert was withdrawn is worth sending."""


class Taken(NamedTuple):
    """A census: a portable roaring bitmap of subscriber ids, counts by home area, their number."""

    bitmap: bytes
    by_area: dict[str, int]
    total: int
    homes: dict[str, bytes] = {}  # noqa: RUF012 (never changed)
    """The same by home area, in the order in which they shall be served; empty where that is not known."""


NOBODY = Taken(BitMap64().serialize(), {}, 0)

Census = Callable[[AlertIssued, Channel], tuple[Any, ...]]
"""Asks the registry whom the issued version reaches on the channel now; answers what makes a Taken."""


class Graver(NamedTuple):
    """Another alert of the incident, and whom it reaches on the channel."""

    alert_id: UUID
    version: int
    bitmap: bytes


def issued(  # noqa: PLR0917 (what an audience follows from)
    event: AlertIssued,
    channel: Channel,
    taken: Taken,
    earlier: AudienceFrozen | None,
    size: int,
    graver: Sequence[Graver] = (),
) -> AudienceFrozen:
    """The audience of an issued version: whom it reaches, and whoever got an earlier version."""
    who, spared = chosen(taken, earlier, graver)
    return frozen(event, channel, who, size).model_copy(update={"spared": spared})


def chosen(
    taken: Taken, earlier: AudienceFrozen | None, graver: Sequence[Graver] = ()
) -> tuple[Taken, tuple[Spared, ...]]:
    """Of those the census found, who is sent to, with whoever got an earlier version; and who is spared.

    Whoever is in several graver alerts counts for the first of them.
    """
    got = BitMap64.deserialize(b64decode(earlier.bitmap)) if earlier else BitMap64()
    left = BitMap64.deserialize(taken.bitmap)
    spared: list[Spared] = []
    for each in graver:
        theirs = (left & BitMap64.deserialize(each.bitmap)) - got
        if theirs:
            spared.append(Spared(alert_id=each.alert_id, version=each.version, count=len(theirs)))
            left -= theirs
    if spared:
        taken = only(taken, left)
    return (united(taken, earlier) if earlier else taken), tuple(spared)


def only(taken: Taken, left: BitMap64) -> Taken:
    """Those of the census who are left. Where it tells no homes, nor do they."""
    homes = {area: BitMap64.deserialize(ids) & left for area, ids in taken.homes.items()}
    homes = {area: ids for area, ids in homes.items() if ids}
    packed = {area: ids.serialize() for area, ids in homes.items()}
    return Taken(left.serialize(), {area: len(ids) for area, ids in homes.items()}, len(left), packed)


def frozen(event: AlertIssued, channel: Channel, who: Taken, size: int) -> AudienceFrozen:
    """The audience that these people make."""
    return AudienceFrozen(
        originator_id=audience_id(event.originator_id, event.version, channel),
        originator_version=1,
        by=FANOUT,
        alert_id=event.originator_id,
        version=event.version,
        channel=channel,
        lane=event.content.lane,
        count=who.total,
        sha256=sha256(who.bitmap).hexdigest(),
        bitmap=b64encode(who.bitmap).decode(),
        by_area=dict(sorted(who.by_area.items())),
        slice_size=size,
        expires_at=event.expires_at,
        mode=event.content.mode,
        groups=tuple(
            HomeGroup(area=area, bitmap=b64encode(bitmap).decode()) for area, bitmap in who.homes.items()
        ),
    )


def cancelled(event: AlertCancelled, earlier: AudienceFrozen) -> AudienceFrozen:
    """The audience of a cancel: that of the last version on the channel, which holds all before it."""
    return earlier.model_copy(
        update={
            "originator_id": audience_id(event.originator_id, event.version, earlier.channel),
            "version": event.version,
            "expires_at": event.sent + CANCEL_LIFE,
            "spared": (),
        }
    )


def united(taken: Taken, earlier: AudienceFrozen) -> Taken:
    """The census and the earlier audience as one.

    Who is in both counts where the census found the home; who is in the earlier one alone, where that
    found it. Of audiences that did not tell homes, an area's count is the larger of both.
    """
    both = BitMap64.deserialize(taken.bitmap) | BitMap64.deserialize(b64decode(earlier.bitmap))
    if _tells_homes(taken) and (earlier.groups or not earlier.count):
        homes = _homes_united(taken, earlier)
        by_area = {area: len(ids) for area, ids in homes.items()}
        packed = {area: ids.serialize() for area, ids in homes.items()}
        return Taken(both.serialize(), by_area, len(both), packed)
    by_area = {
        area: max(taken.by_area.get(area, 0), earlier.by_area.get(area, 0))
        for area in taken.by_area.keys() | earlier.by_area.keys()
    }
    return Taken(both.serialize(), by_area, len(both))


def _tells_homes(taken: Taken) -> bool:
    return bool(taken.homes) or not taken.total


def _homes_united(taken: Taken, earlier: AudienceFrozen) -> dict[str, BitMap64]:
    here = BitMap64.deserialize(taken.bitmap)
    homes = {area: BitMap64.deserialize(bitmap) for area, bitmap in taken.homes.items()}
    for group in groups_of(earlier) if earlier.groups else ():
        if alone := group.ids - here:
            homes[group.area] = homes.get(group.area, BitMap64()) | alone
    return homes


def slices(audience: AudienceFrozen) -> Iterator[Dispatch]:
    """The dispatches of an audience: each of its ranks is in exactly one, in order."""
    if audience.topics:
        for first, topic in enumerate(audience.topics, audience.first):
            yield _dispatch(audience, first, first + 1, topic=topic)
        return
    homes = runs(
        [(group.area, audience.by_area[group.area]) for group in audience.groups], audience.slice_size
    )
    end = audience.first + audience.count
    for first in range(audience.first, end, audience.slice_size):
        last = min(first + audience.slice_size, end)
        yield _dispatch(audience, first, last, areas=next(homes, ()))


def _dispatch(audience: AudienceFrozen, first: int, last: int, **whose: Any) -> Dispatch:
    alert, version, channel = audience.alert_id, audience.version, audience.channel
    return Dispatch(
        id=dispatch_id(alert, version, channel, first, 1),
        alert_id=alert,
        version=version,
        channel=channel,
        lane=audience.lane,
        audience_id=audience.originator_id,
        first=first,
        last=last,
        expires_at=audience.expires_at,
        **whose,
    )


def probes(event: CanarySent) -> Iterator[Dispatch]:
    """The dispatches of a test item: one for each channel, to one phone that no registry holds."""
    canary, number = event.originator_id, event.originator_version
    for channel in event.channels:
        yield Dispatch(
            id=dispatch_id(canary, number, channel, 0, 1),
            alert_id=canary,
            version=number,
            channel=channel,
            lane=event.lane,
            audience_id=audience_id(canary, number, channel),
            first=0,
            last=1,
            expires_at=event.expires_at,
        )
