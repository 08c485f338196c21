"""The follow role: keeps every projection up to date, ends alerts, signs checkpoints, reminds."""

from collections.abc import Sequence

from broadcaster.roles import Role
from broadcaster.roles.ending import Ending
from broadcaster.roles.notary import Notary
from broadcaster.roles.remind import postman
from broadcaster.roles.timekeeper import Timekeeper
from broadcaster.roles.topics import TopicThread
from broadcaster.runtime import House
from broadcaster.settings import Settings
from projections.follower_group import FollowerGroup
from projections.own_thread import OwnThread
from schemas.content import Lane


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Follows until the process is asked to stop."""
    del role, lanes
    with House.open(settings) as house:
        parts: list[FollowerGroup | OwnThread] = [house.followers(), Timekeeper(house), Notary(house)]
        for part in parts:
            part.start()
        # Behind those that stand alone: a mail server may still have to say where it is.
        others: list[OwnThread] = [TopicThread(house)]
        if (reminding := postman(house)) is not None:
            ending.in_doubt = lambda: reminding.in_doubt
            others.append(reminding)
        for other in others:
            other.start()
        ending.asked.wait()
        for part in reversed([*parts, *others]):
            part.stop()
