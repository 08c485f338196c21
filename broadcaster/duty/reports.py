"""Makes sealed reports of the cadence, and checks one against the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg_pool import ConnectionPool

from broadcaster.duty import answers
from broadcaster.duty.seal import Seal, digest, seal
from broadcaster.duty.sheets import Format, form_of, render, seal_of
from broadcaster.log import AlertLog
from broadcaster.log.recorder import ZERO
from broadcaster.proof import checkpoint, exports
from broadcaster.proof.chain import instant
from broadcaster.proof.exports import Export
from projections.cadence.report import Report, report
from projections.cadence.view import CadenceBook
from projections.positions import Positions
from schemas.events import Actor


@dataclass(frozen=True)
class Finding:
    """What a check of a report found; `fault` is empty where all of it holds."""

    seal: Seal
    fault: str = ""
    signed: bool | None = None
    """By the key that was given; None where there was no key or no signature."""


class Reports:
    """Of one log. `key_path` may name a file that is not there: then reports bear no signature."""

    def __init__(
        self, pool: ConnectionPool[Any], log: AlertLog, book: CadenceBook, *, origin: str, key_path: Path
    ) -> None:
        self._pool, self._log, self._book = pool, log, book
        self._origin, self._key_path = origin, key_path

    @property
    def position(self) -> int:
        """How far the view has come."""
        return Positions(self._pool, "cadence").get().position

    def figures(
        self, since: datetime, until: datetime, *, levels: Sequence[int] = (), position: int | None = None
    ) -> dict[str, Any]:
        """A period's figures by what the log held up to a position, or holds now."""
        return answers.report(self._report(since, until, levels, position))

    def make(
        self,
        since: datetime,
        until: datetime,
        form: Format,
        *,
        at: datetime,
        levels: Sequence[int] = (),
        position: int | None = None,
    ) -> bytes:
        """The file, sealed."""
        figures = self.figures(since, until, levels=levels, position=position)
        key = checkpoint.load_key(self._key_path) if self._key_path.exists() else None
        chain = self._chain(figures["position"])
        assert chain is not None, "the view is never ahead of the log"
        made = seal(figures, origin=self._origin, chain=chain, at=at, levels=tuple(levels), key=key)
        return render(figures, made, form)

    def hand_out(
        self,
        since: datetime,
        until: datetime,
        form: Format,
        *,
        by: Actor,
        at: datetime,
        levels: Sequence[int] = (),
        position: int | None = None,
    ) -> bytes:
        """The same for someone we know: the log knows of the file before anyone has it."""
        upto = self.position if position is None else position
        file = self.make(since, until, form, at=at, levels=levels, position=upto)
        asked = {"from": instant(since), "to": instant(until)}
        if levels:
            asked["level"] = ",".join(str(level) for level in sorted(set(levels)))
        exports.record(self._log, Export("cadence_report", form.value, asked, upto), file, by=by, at=at)
        return file

    def check(self, file: bytes, key: Ed25519PublicKey | None) -> Finding:
        """Makes the file again from the log, and compares. Raises SettingsError for no report of ours.

        Without a key, that of this machine is taken if it has one.
        """
        found = seal_of(file)
        if key is None and self._key_path.exists():
            key = checkpoint.load_key(self._key_path).public_key()
        signed = None if key is None or found.signature is None else found.signed_by(key)
        return Finding(found, self._fault(file, found, signed), signed)

    def _fault(self, file: bytes, found: Seal, signed: bool | None) -> str:
        if signed is False:
            return "its signature is not of this key"
        chain = self._chain(found.position)
        if chain is None:
            return f"the log ends before position {found.position}: its tail was cut"
        if chain != found.chain:
            return f"the log's chain at position {found.position} is another: the log was rewritten"
        if self.position < found.position:
            return f"the view has not come to position {found.position} yet; try again"
        since, until = datetime.fromisoformat(found.since), datetime.fromisoformat(found.until)
        again = self.figures(since, until, levels=found.levels, position=found.position)
        if digest(again) != found.sha256:
            return "the log gives other figures: the report, or the setting of the reading, was changed"
        if render(again, found, form_of(file)) != file:
            return "the file is not what was sealed"
        return ""

    def _report(
        self, since: datetime, until: datetime, levels: Sequence[int], position: int | None
    ) -> Report:
        upto = self.position if position is None else position
        with self._pool.connection() as conn:
            return report(
                self._book,
                conn,
                since.astimezone(UTC),
                until.astimezone(UTC),
                position=upto,
                levels=set(levels) or None,
            )

    def _chain(self, position: int) -> str | None:
        if position == 0:
            return ZERO.hex()
        rows = self._log.chain.rows(position - 1, 1)
        return rows[0].chain.hex() if rows and rows[0].position == position else None
