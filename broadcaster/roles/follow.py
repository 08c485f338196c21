"""The follow role: keeps every projection up to date, ends alerts, signs checkpoints, reminds."""

from collections.abc import Sequence

from broadcaster.proof.notary import Notary
from broadcaster.roles import Role
from broadcaster.roles.ending import Ending
from broadcaster.roles.remind import postman
from broadcaster.roles.topics import topic_thread
from broadcaster.runtime import House
from broadcaster.settings import Settings
from broadcaster.timekeeper import Timekeeper
from schemas.content import Lane


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Follows until the process is asked to stop."""
    del role, lanes
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
        ending.asked.wait()
        if keeping is not None:
            keeping.stop()
        if reminding is not None:
            reminding.stop()
        notary.stop()
        timekeeper.stop()
        followers.stop()
