"""Further waves of a version: those an incident had spared, once the graver alert is so no more. Pure.

A wave is an audience of the same version on the same channel. Its ranks go on where the last wave's
ended, so its dispatches have ids of their own, and the figures of the version simply grow.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

from pyroaring import BitMap64

from projections.fanout.incidents import Relief
from projections.fanout.order import groups_of
from projections.fanout.plan import Taken, frozen
from schemas.events import AlertIssued, AudienceFrozen, HomeGroup
from schemas.ids import audience_id


def members(audience: AudienceFrozen) -> BitMap64:
    """Whom it is for."""
    return BitMap64.deserialize(b64decode(audience.bitmap))


def joined(waves: Sequence[AudienceFrozen]) -> AudienceFrozen | None:
    """All waves of a version on a channel as one audience; None where there are none."""
    if len(waves) < 2:  # noqa: PLR2004 (one is itself)
        return waves[0] if waves else None
    who, by_area = BitMap64(), Counter[str]()
    homes: dict[str, BitMap64] = {}
    for wave in waves:
        who |= members(wave)
        by_area.update({} if wave.instead_of else wave.by_area)
        for group in groups_of(wave) if wave.groups else ():
            homes[group.area] = homes.get(group.area, BitMap64()) | group.ids
    told = all(wave.groups or not wave.count for wave in waves)
    packed = who.serialize()
    return waves[0].model_copy(
        update={
            "count": len(who),
            "bitmap": b64encode(packed).decode(),
            "sha256": sha256(packed).hexdigest(),
            "by_area": dict(sorted(by_area.items())),
            "groups": tuple(
                HomeGroup(area=area, bitmap=b64encode(ids.serialize()).decode())
                for area, ids in (homes.items() if told else ())
            ),
        }
    )


def told(waves: Sequence[AudienceFrozen], relief: Relief) -> bool:
    """Whether one of these waves came of it. Once an alert named no version: it was withdrawn, its last."""
    return any(
        wave.relieves == relief.alert_id and wave.relieves_version in {None, relief.version}
        for wave in waves
    )


def remaining(waves: Sequence[AudienceFrozen], theirs: BitMap64, graver: Iterable[BitMap64]) -> BitMap64:
    """Who may be in the next wave, of `theirs`, the recipients of the alert that was graver.

    Nobody who had the version, nor who is spared it for another graver alert. Asks `graver` no longer
    than it must.
    """
    left = theirs.copy()
    for wave in waves:
        left -= members(wave)
    for each in graver if left else ():
        left -= each
        if not left:
            break
    return left


def relieved(
    event: AlertIssued, waves: Sequence[AudienceFrozen], taken: Taken, relief: Relief
) -> AudienceFrozen:
    """The next wave of the issued version; `taken` are those who remain and are found, maybe nobody."""
    channel, number = waves[0].channel, len(waves)
    return frozen(event, channel, taken, waves[0].slice_size).model_copy(
        update={
            "originator_id": audience_id(event.originator_id, event.version, channel, number),
            "wave": number,
            "first": sum(wave.count for wave in waves),
            "relieves": relief.alert_id,
            "relieves_version": relief.version,
        }
    )
