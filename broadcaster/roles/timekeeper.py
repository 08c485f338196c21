"""Does what the clock brings about: alerts end, what was scheduled goes out, people move to an edition."""

import structlog

from broadcaster.runtime import House
from projections.own_thread import OwnThread

log = structlog.get_logger(__name__)


class Timekeeper(OwnThread):
    """Looks once every `every` seconds, in its own thread."""

    def __init__(self, house: House, every: float = 1.0) -> None:
        super().__init__("timekeeper")
        self._house, self._every = house, every

    def _run(self) -> None:
        house = self._house
        duties = (house.keep_time, house.move_due_subscribers, house.watch_canary, house.watch_screens)
        while not self._stop.wait(self._every):
            for duty in duties:
                try:
                    duty()
                except Exception:
                    # A lost database, say; the next look sees the same things due.
                    log.exception("timekeeper_stumbled", duty=duty.__name__)
