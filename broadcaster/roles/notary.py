"""Signs checkpoints while the house runs: every hour, and at each emergency issued."""

import time

import structlog

from broadcaster.log import AlertLog
from broadcaster.proof import checkpoint
from broadcaster.runtime import House, clock
from projections.own_thread import OwnThread
from schemas.content import Lane
from schemas.events import AlertIssued

log = structlog.get_logger(__name__)

PERIOD = 3600.0
"""Seconds between checkpoints when nothing urgent happens."""
_PAGE = 500


class Notary(OwnThread):
    """Looks once every `every` seconds, in its own thread. Without a key file it only waits for one."""

    def __init__(self, house: House, every: float = 1.0, period: float = PERIOD) -> None:
        super().__init__("notary")
        self._log: AlertLog = house.log
        self._settings = house.settings
        self._every, self._period = every, period
        self._due = 0.0
        self._seen = 0
        self._told = False

    def look(self) -> checkpoint.Checkpoint | None:
        """Signs where it is time to. Its first look always is: what happened meanwhile is not known."""
        path = self._settings.checkpoint_key_path
        if not path.exists():
            if not self._told:
                log.info("checkpoints_off", hint="broadcaster checkpoint key makes a key")
                self._told = True
            return None
        if time.monotonic() < self._due and not self._emergency():
            return None
        signed = checkpoint.notarise(
            self._log,
            checkpoint.load_key(path),
            self._settings.sender_domain,
            self._settings.checkpoints_path,
            clock(),
        )
        # Only now, so that a look that failed is made up for by the next.
        self._due = time.monotonic() + self._period
        self._seen = max(self._seen, signed.position)
        return signed

    def _emergency(self) -> bool:
        """Whether one was issued since the last look. What was seen and was none is not read again."""
        while page := self._log.read(self._seen, _PAGE, [AlertIssued.TOPIC]):
            if any(
                isinstance(event, AlertIssued) and event.content.lane is Lane.EMERGENCY
                for _, _, event in page
            ):
                return True
            self._seen = page[-1].position
        return False

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.look()
            except Exception:
                # A lost database or a full disk, say; the next look tries again.
                log.exception("notary_stumbled")
