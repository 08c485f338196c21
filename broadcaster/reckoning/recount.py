"""An old alert's audience counted again, by the communes of its own day and by today's.

Who it was for is in the log for ever, as ids by home (`audience.frozen`). What can be worked out again:
- by home as it was, person by person, in the codes of the edition each was first counted in;
- the same in today's codes: a commune that went whole into another takes its people along, of one that
  was parted nobody can say who lives in which part;
- against the registry: who of them is still in it, where they live now, and who would be found today.
  It keeps no history, so it can vouch for the day itself only by rows that did not change since.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.atlas import Atlas
from broadcaster.log import AlertLog
from broadcaster.log.recorder import at_once
from broadcaster.office import Office
from broadcaster.reckoning.census import CensusTaker
from broadcaster.reckoning.recounted import Recount, Then, Today
from broadcaster.registry.kept import households
from projections.fanout.order import groups_of
from projections.fanout.waves import members
from schemas.content import Channel
from schemas.events import AlertCancelled, AlertIssued, AudienceFrozen
from schemas.ids import audience_id

CHANNELS = (Channel.PUSH, Channel.SMS)
_RECORDED: LiteralString = """
SELECT recorded_at FROM events WHERE originator_id = %s AND originator_version = 1
"""
_Homes = Counter[tuple[str, str]]
"""People by edition and code of their home."""


class _Frozen(NamedTuple):
    issued: AlertIssued
    waves: list[AudienceFrozen]
    at: datetime


class Recounter:
    """Counts again; changes nothing."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, census: CensusTaker) -> None:
        self._pool, self._office, self._census = pool, office, census

    def of(self, alert_id: UUID, at: datetime, version: int | None = None) -> list[Recount]:
        """By channel, of a version (the last, unless named). Raises UnknownStreamError, LookupError."""
        self._office.alert(alert_id)
        versions = dict(_versions(self._office.log, alert_id))
        last = max(versions, default=0) if version is None else version
        if last not in versions:
            raise LookupError(f"version: the alert has no version {last} that went out")
        told = [(number, versions[number]) for number in sorted(versions) if number <= last]
        return [one for channel in CHANNELS if (one := self._on(alert_id, channel, told, at))]

    def _on(
        self, alert_id: UUID, channel: Channel, told: list[tuple[int, AlertIssued]], at: datetime
    ) -> Recount | None:
        frozen = [
            (number, found)
            for number, issued in told
            if (found := self._frozen(alert_id, number, channel, issued)) is not None
        ]
        if not frozen or frozen[-1][0] != told[-1][0]:
            return None
        number, last = frozen[-1]
        who, homes, unplaced = _placed([found for _, found in frozen])
        # Those of versions before are in this one too; where an older log says otherwise, it shows.
        mine = _union(last.waves)
        atlas, today = self._office.atlas(), self._office.edition(at)
        whole, parted, untold = _translated(atlas, homes, today.name)
        living, kept, untouched = self._kept(channel, mine, last.at, atlas, today.name)
        found = BitMap64.deserialize(
            self._census.of(last.issued.content, last.issued.edition, channel).bitmap
        )
        return Recount(
            version=number,
            channel=channel,
            frozen_at=last.at,
            edition=last.issued.edition,
            today=today.name,
            count=sum(wave.added for wave in last.waves),
            sound=who == mine and all(_sound(wave) for _, each in frozen for wave in each.waves),
            then=tuple(
                Then(edition=edition, code=code, name=_name(atlas, edition, code), count=count)
                for (edition, code), count in sorted(homes.items())
            ),
            unplaced=unplaced,
            now=tuple(
                Today(
                    code=code,
                    name=_name(atlas, today.name, code),
                    whole=whole[code],
                    parted=parted[code],
                    living=living[code],
                )
                for code in sorted(whole.keys() | parted.keys() | living.keys())
            ),
            untold=untold,
            kept=kept,
            still=len(found & mine),
            new=len(found - mine),
            untouched=len(found & untouched),
            untouched_in=len(found & untouched & mine),
        )

    def _frozen(
        self, alert_id: UUID, version: int, channel: Channel, issued: AlertIssued
    ) -> _Frozen | None:
        log, waves = self._office.log, list[AudienceFrozen]()
        first = audience_id(alert_id, version, channel)
        with at_once(self._pool) as conn, conn.cursor() as cursor:
            row = cursor.execute(_RECORDED, (first,)).fetchone()
            while event := log.event(cursor, audience_id(alert_id, version, channel, len(waves)), 1):
                assert isinstance(event, AudienceFrozen)
                waves.append(event)
        return None if row is None else _Frozen(issued, waves, row[0].astimezone(UTC))

    def _kept(
        self, channel: Channel, mine: BitMap64, since: datetime, atlas: Atlas, today: str
    ) -> tuple[Counter[str], int, BitMap64]:
        living, kept, untouched = Counter[str](), 0, BitMap64()
        known = {edition.name for edition in atlas.register.editions}
        with self._pool.connection() as conn, conn.cursor() as cursor:
            for home in households(cursor, channel, since):
                untouched |= home.untouched
                here = len(home.ids & mine)
                kept += here
                # A row that is still to be moved lives where its commune went whole, or nobody can say.
                code = home.home if home.edition == today else None
                if code is None and home.edition in known:
                    code = atlas.whole(home.home, home.edition, today)
                if here and code is not None:
                    living[code] += here
        return living, kept, untouched


def _versions(log: AlertLog, alert_id: UUID) -> Iterator[tuple[int, AlertIssued]]:
    """Each version that went out, with what it said; a cancel with what it withdrew."""
    issued: AlertIssued | None = None
    for event in log.events.get(alert_id):
        if isinstance(event, AlertIssued):
            issued = event
            yield event.version, event
        elif isinstance(event, AlertCancelled) and issued is not None:
            yield event.version, issued


def _placed(frozen: list[_Frozen]) -> tuple[BitMap64, _Homes, int]:
    """Everyone, by the home they had when they were first counted; and how many have none recorded.

    A later version is for those of the earlier ones too, under codes that may be of an edition before.
    """
    who, homes, unplaced = BitMap64(), _Homes(), 0
    for each in frozen:
        for wave in each.waves:
            joining = members(wave) - who
            if wave.groups:
                for group in groups_of(wave):
                    ids = (group.ids & joining) - who
                    homes[each.issued.edition, group.area] += len(ids)
                    who |= ids
            elif len(joining) == wave.count:
                homes.update({(each.issued.edition, area): n for area, n in wave.by_area.items()})
                who |= joining
            unplaced += len(joining - who)
            who |= joining
    return who, +homes, unplaced


def _union(waves: list[AudienceFrozen]) -> BitMap64:
    who = BitMap64()
    for wave in waves:
        who |= members(wave)
    return who


def _sound(wave: AudienceFrozen) -> bool:
    who = members(wave)
    if sha256(b64decode(wave.bitmap)).hexdigest() != wave.sha256 or len(who) != wave.count:
        return False
    grouped = BitMap64()
    for group in groups_of(wave) if wave.groups else ():
        grouped |= group.ids
    return not wave.groups or grouped == who


def _translated(atlas: Atlas, homes: _Homes, today: str) -> tuple[Counter[str], Counter[str], int]:
    whole, parted, untold = Counter[str](), Counter[str](), 0
    for (edition, code), count in homes.items():
        try:
            became = atlas.translated([code], edition, today)
        except LookupError:
            became = frozenset[str]()
        untold += 0 if became else count
        for new in became:
            (whole if len(became) == 1 else parted)[new] += count
    return whole, parted, untold


def _name(atlas: Atlas, edition: str, code: str) -> str:
    tree = atlas.register.edition(edition).tree
    return tree[code].name if code in tree else code
