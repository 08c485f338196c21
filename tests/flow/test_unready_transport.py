"""A worker whose transport is there but not ready: servers that have yet to find each other."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from nats.errors import Error as NatsError

from broadcaster.engines.children import end, spawn
from channels.push.sandbox import PushSandbox
from channels.topology import durable_of, stream_of
from schemas.content import Channel, Lane
from tests.nats_cluster import TOKEN, Cluster, dialled
from tests.processes import passable_folder
from tests.waiting import PATIENCE, until

EMERGENCY = (stream_of(Lane.EMERGENCY), durable_of(Lane.EMERGENCY, Channel.PUSH))


def test_a_worker_waits_for_a_cluster_that_has_no_leader_and_ends_without_it(city_database: str) -> None:
    with passable_folder() as folder, PushSandbox(folder / "sandbox" / "fcm"):
        three, log = Cluster(folder), folder / "push.log"
        three.start("n1")
        worker = started(city_database, three, folder, log)
        try:
            until(lambda: b"transport_not_ready" in log.read_bytes())
            three.start("n2")
            three.start("n3")
            until(lambda: asyncio.run(waiting(three)))
            three.stop()
            worker.terminate()
            assert worker.wait(PATIENCE) == 0
            assert b"Traceback" not in log.read_bytes()
        finally:
            end(worker, (signal.SIGKILL, 10))
            three.stop()


def started(database: str, three: Cluster, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {
        "BROADCASTER_DATABASE_URL": database,
        "BROADCASTER_NATS_URL": ",".join(three.urls),
        "BROADCASTER_NATS_TOKEN": TOKEN,
        "BROADCASTER_NATS_REPLICAS": "3",
        "BROADCASTER_DATA": str(folder),
    }
    argv = [sys.executable, "-m", "broadcaster", "serve", "--role", "push", "--lane", "emergency"]
    return spawn(argv, cwd=folder, env=os.environ | environment, log=log, death=signal.SIGKILL)


async def waiting(three: Cluster) -> int | None:
    """Pulls that wait for a dispatch: workers with nothing to do."""
    async with await dialled(three.urls) as client:
        try:
            info = await client.jetstream().consumer_info(*EMERGENCY)
        except (NatsError, TimeoutError):
            return None
    return info.num_waiting
