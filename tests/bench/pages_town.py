"""The town that the pages are timed in: months of alerts of every body, and phones by the million."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from broadcaster import reference
from broadcaster.account import Role
from broadcaster.demo.people import write_people
from broadcaster.demo.stage import spread
from broadcaster.registry.csv_import import import_csv
from broadcaster.runtime import EDITION, SYSTEM, House, clock
from schemas.content import Channel, Severity, Text
from schemas.events import Actor, Event
from tests.following import Alert
from tests.house import content

CITY = "ubnd-tp"
SPAN = timedelta(days=120)
LIVE, IN_WORK = 60, 40
"""How many of the last are still running, or wait for an approver."""
SCREENS = 300
_SEED = 2024
_STEPS = 500
_CATEGORIES = ("mua_lon", "ngap_ung", "cay_xanh", "nang_nong")
_TITLES = ("Mưa rất to, nguy cơ ngập úng", "Cấm đường để sửa cống", "Nắng nóng gay gắt", "Cắt nước đêm nay")


def build(house: House, folder: Path, subscribers: int, alerts: int) -> dict[str, float]:
    """Fills an empty house; answers the seconds that each step took."""
    end = clock()
    took: dict[str, float] = {}

    def step(name: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        took[f"{name}_s"] = round(time.perf_counter() - began, 1)

    step("bodies", lambda: _found(house, end - SPAN))
    step("screens", lambda: _put_up_screens(house, end - SPAN))
    step("alerts", lambda: _tell(house, alerts, end))
    # Before anyone is registered: the audiences of what was long ago are empty.
    step("views", lambda: follow(house))
    step("subscribers", lambda: _register(house, folder, subscribers))
    step("whole_city", lambda: _to_everyone(house))
    step("analyze", lambda: _analyze(house))
    return took


def follow(house: House) -> None:
    """Lets every view see the log to its end."""
    for projection in house.projections:
        house.follower(projection).catch_up()


def _found(house: House, at: datetime) -> None:
    house.migrate()
    areas = reference.areas(EDITION)
    house.setup.adopt_areas(SYSTEM, EDITION, date.fromisoformat(EDITION), areas, at=at)
    records = [record for record in reference.issuers() if record.since is None]
    house.setup.register_issuers(SYSTEM, records, at=at)


def _put_up_screens(house: House, at: datetime) -> None:
    manager = Actor(account="quan", body=CITY)
    house.setup.grant(SYSTEM, manager.account, CITY, Role.MANAGER, at=at)
    for number, area in enumerate(spread(house.tree(), SCREENS)):
        house.setup.register_screen(
            manager, UUID(int=number + 1), name=f"Bảng {number}", area=area, profile="m96x32-1", at=at
        )


def _tell(house: House, count: int, end: datetime) -> None:
    chance = random.Random(_SEED)
    bodies = [(each.issuer_id, each.area) for each in reference.issuers() if each.since is None]
    size = max(1, count // _STEPS)
    steps = [range(first, min(first + size, count)) for first in range(0, count, size)]
    for step, numbers in enumerate(steps, start=1):
        at = end - SPAN * (len(steps) - step) / len(steps) - timedelta(minutes=5)
        events: list[Event] = []
        for number in numbers:
            body, area = chance.choice(bodies)
            alert = _alert(number, body, area)
            events += _history(alert, at, end, count - number)
        _append(house, events, at)


def _history(alert: Alert, at: datetime, now: datetime, place: int) -> Sequence[Event]:
    """Of the one that is `place` from the end: in work, running, or over."""
    begun: list[Event] = [alert.drafted(), alert.submitted()]
    if place <= IN_WORK:
        return _by(alert.issuer_id, begun)
    runs = place <= IN_WORK + LIVE
    until = now + timedelta(hours=6) if runs else at + timedelta(hours=6)
    times = {"sent": at.replace(microsecond=0), "effective_at": at, "expires_at": until}
    sender = f"{alert.issuer_id}@canhbao.hanoi.gov.vn"
    begun += [alert.approved(), alert.issued().model_copy(update=times | {"sender": sender})]
    return _by(alert.issuer_id, begun if runs else [*begun, alert.expired()])


def _by(body: str, events: Sequence[Event]) -> list[Event]:
    return [event.model_copy(update={"by": Actor(account=f"lan@{body}", body=body)}) for event in events]


def _alert(number: int, body: str, area: str) -> Alert:
    title = _TITLES[number % len(_TITLES)]
    text = Text(headline=f"{title} {number}", description=f"{title}. Hạn chế ra đường, gọi 112 khi cần.")
    said = content(area, category=_CATEGORIES[number % len(_CATEGORIES)], texts={"vi": text})
    return Alert(said, body)


def _append(house: House, events: Sequence[Event], at: datetime) -> None:
    with house.pool.connection() as conn, conn.cursor() as cursor:
        house.log.append_in(cursor, events, at)


def _register(house: House, folder: Path, count: int) -> None:
    people = folder / "people.csv"
    write_people(people, count, house.tree(), _SEED)
    import_csv(people, house.pool, house.tree(), at=clock())
    people.unlink()


def _to_everyone(house: House) -> None:
    """One alert to the whole city, its audience taken and cut into dispatches; nothing sends them."""
    at = clock()
    text = Text(headline="Bão số 3 vào thành phố", description="Ở trong nhà. Gọi 112 khi cần.")
    said = content("01", texts={"vi": text}, severity=Severity.EXTREME, channels=tuple(Channel))
    alert = Alert(said, CITY)
    times = {"sent": at.replace(microsecond=0), "effective_at": at, "expires_at": at + timedelta(hours=6)}
    issued = alert.issue()
    issued[-1] = issued[-1].model_copy(update=times)
    _append(house, issued, at)
    follow(house)


def _analyze(house: House) -> None:
    with house.pool.connection() as conn:
        conn.execute("ANALYZE")
