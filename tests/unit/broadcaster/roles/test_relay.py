import asyncio

from structlog.testing import capture_logs

from broadcaster.engines import transport
from broadcaster.engines.embedded import NatsServer
from broadcaster.roles import relay
from broadcaster.runtime import House
from broadcaster.settings import Settings
from schemas.content import Lane


def test_a_database_that_is_away_ends_no_relay(city_database: str, nats: NatsServer) -> None:
    env = {
        "BROADCASTER_DATABASE_URL": city_database,
        "BROADCASTER_NATS_URL": nats.url,
        "BROADCASTER_NATS_TOKEN": nats.token,
    }

    async def look(house: House) -> None:
        async with transport.connected(house.settings, "relay-test") as client:
            js = client.jetstream()
            await relay.keep_stream(house, js, Lane.EMERGENCY, declared=False)
            house.pool.close()
            await relay.keep_stream(house, js, Lane.EMERGENCY)

    with House.open(Settings.from_env(env)) as house, capture_logs() as said:
        asyncio.run(look(house))
    assert [each["event"] for each in said if each["log_level"] == "warning"] == ["stream_unmet"]
