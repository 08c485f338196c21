"""What the web asks of the machine: lanes of a real transport, and key files."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcaster.engines import transport
from broadcaster.engines.embedded import NatsServer
from broadcaster.roles import plant
from broadcaster.settings import Settings
from broadcaster.web.monitoring.plant import KeyFile
from channels.topology import DELIVERED, declare
from schemas.content import Channel, Lane
from schemas.dispatch import dispatch_subject


def settings(nats: NatsServer, folder: Path) -> Settings:
    return Settings.from_env(
        {
            "BROADCASTER_NATS_URL": nats.url,
            "BROADCASTER_NATS_TOKEN": nats.token,
            "BROADCASTER_DATA": str(folder),
        }
    )


def test_the_depth_of_every_lane(nats: NatsServer, tmp_path: Path) -> None:
    wanted = settings(nats, tmp_path)
    empty = plant.lanes(wanted)
    assert empty is not None
    assert {(one.pending, one.workers) for one in empty} == {(0, 0)}

    async def publish() -> None:
        async with transport.connected(wanted, "test") as client:
            js = client.jetstream()
            await declare(js)
            for _ in range(3):
                await js.publish(dispatch_subject(Lane.ALERT, Channel.SMS), b"{}")

    asyncio.run(publish())
    found = plant.lanes(wanted)
    assert found is not None
    assert len(found) == len(Lane) * len(DELIVERED)
    deep = {(one.lane, one.channel): one.pending for one in found if one.pending}
    assert deep == {(Lane.ALERT, Channel.SMS): 3}


def test_a_transport_that_is_away_is_no_answer(nats: NatsServer, tmp_path: Path) -> None:
    wanted = settings(nats, tmp_path)
    nats.stop()
    assert plant.lanes(wanted) is None


def test_key_files_tell_nothing_of_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "feed.key").write_text("secret")
    (tmp_path / "feed.key").chmod(0o644)
    (tmp_path / "accounts.key").write_text("secret")
    (tmp_path / "accounts.key").chmod(0o600)
    wanted = Settings.from_env({"BROADCASTER_DATA": str(tmp_path)})
    found = {one.name: one for one in plant.key_files(wanted)}
    assert (found["accounts"].present, found["accounts"].private) == (True, True)
    assert (found["feed"].present, found["feed"].private) == (True, False)
    assert not found["checkpoint"].present
    assert "secret" not in str(found)


def test_a_certificate_ends() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    days = {"over": 0, "soon": 29, "ok": 31}
    for word, left in days.items():
        key = KeyFile("cap", present=True, private=True, expires_at=at + timedelta(days=left))
        assert key.ends(at) == word
    assert KeyFile("feed", present=True, private=True).ends(at) == "none"


def test_the_room_of_what_is_on_this_machine(tmp_path: Path) -> None:
    elsewhere = {
        "BROADCASTER_NATS_URL": "nats://broker:4222",
        "BROADCASTER_DATABASE_URL": "postgresql://x/y",
    }
    wanted = Settings.from_env(elsewhere | {"BROADCASTER_DATA": str(tmp_path)})
    (told,) = plant.disks(wanted)
    assert told.name == "data"
    assert 0 < told.free <= shutil.disk_usage(tmp_path).total
    # As a role of a house with engines of its own sees it: it is told their addresses, and they are here.
    (tmp_path / "nats" / "store").mkdir(parents=True)
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    assert [each.name for each in plant.disks(wanted)] == ["data", "database", "transport"]
