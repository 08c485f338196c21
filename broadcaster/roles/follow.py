"""The follow role: keeps every projection up to date, ends alerts, signs checkpoints, reminds."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType

from broadcaster.proof.notary import Notary
from broadcaster.roles import Role
from broadcaster.roles.remind import postman
from broadcaster.roles.topics import topic_thread
from broadcaster.runtime import House
from broadcaster.settings import Settings
from broadcaster.timekeeper import Timekeeper
from schemas.content import Lane


def run(role: Role, settings: Settings, lanes: Sequence[Lane]) -> None:
    """Follows until the process is asked to stop."""
    del role, lanes
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    with House.open(settings) as house:
        followers, timekeeper, notary = house.followers(), Timekeeper(house), Notary(house)
        followers.start()
        timekeeper.start()
        notary.start()
        reminding = postman(house)
        if reminding is not None:
            reminding.start()
        keeping = topic_thread(house)
        if keeping is not None:
            keeping.start()
        stopped.wait()
        if keeping is not None:
            keeping.stop()
        if reminding is not None:
            reminding.stop()
        notary.stop()
        timekeeper.stop()
        followers.stop()
