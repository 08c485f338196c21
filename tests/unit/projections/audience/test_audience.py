"""Sizes of audiences."""

from collections.abc import Iterator

import pytest

from projections.audience import view
from projections.audience.projection import Audience
from schemas.content import Channel, Lane
from tests.following import World, audience, world


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


def test_sizes_by_alert_channel_and_area(here: World) -> None:
    push = audience(1200, lane=Lane.EMERGENCY).model_copy(update={"by_area": {"00004": 200, "00001": 1000}})
    none = audience(0, channel=Channel.SMS)
    here.append(push, none)
    projection = Audience()
    follower = here.follower(projection)
    follower.catch_up()
    (row,) = view.of_alert(here.conn, push.alert_id)
    assert row == view.AudienceRow(push.alert_id, 1, Channel.PUSH, 1200, push.sha256, Lane.EMERGENCY, 1)
    assert view.by_area(here.conn, push.alert_id, 1, Channel.PUSH) == {"00001": 1000, "00004": 200}
    assert view.by_area(here.conn, push.alert_id, 1, Channel.SMS) == {}
    assert [row.count for row in view.of_alert(here.conn, none.alert_id)] == [0]
    before = here.dump(projection)
    follower.rebuild()
    assert here.dump(projection) == before
