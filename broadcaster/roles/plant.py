"""What the web asks of this machine: how deep the lanes are, and whether the keys are in order."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nats.errors
import structlog
from cryptography import x509
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from broadcaster.engines import transport
from broadcaster.engines.datafolder import others_may_read
from broadcaster.settings import Settings
from broadcaster.web.monitoring.plant import Disk, KeyFile, LaneDepth
from channels.topology import DELIVERED, durable_of, stream_of
from schemas.content import Channel, Lane

log = structlog.get_logger(__name__)

PATIENCE = 2.0
"""Seconds for all the answers."""


def lanes(settings: Settings) -> Sequence[LaneDepth] | None:
    """What the transport says; None where it does not in time. Not to be called in a loop's thread."""
    # One that refuses to be called is not waited for.
    if not transport.answers(settings):
        log.warning("lanes_unknown", error="unreachable")
        return None
    try:
        return asyncio.run(_patiently(settings))
    except (TimeoutError, OSError, nats.errors.Error, JetStreamError) as error:
        log.warning("lanes_unknown", error=type(error).__name__)
        return None


async def _patiently(settings: Settings) -> list[LaneDepth]:
    async with asyncio.timeout(PATIENCE), transport.connected(settings, "web-lanes") as client:
        js = client.jetstream()
        return [await _depth(js, lane, channel) for lane in Lane for channel in DELIVERED]


async def _depth(js: JetStreamContext, lane: Lane, channel: Channel) -> LaneDepth:
    try:
        info = await js.consumer_info(stream_of(lane), durable_of(lane, channel))
    except NotFoundError:
        return LaneDepth(lane, channel, 0, 0, 0)  # No worker ever ran here.
    return LaneDepth(lane, channel, info.num_pending or 0, info.num_ack_pending or 0, info.num_waiting or 0)


def disks(settings: Settings) -> list[Disk]:
    """The room of each part that is on this machine; engines of the operator's own are theirs to watch."""
    folders = {"data": settings.data}
    if settings.database_url is None or (settings.data / "postgres" / "cluster").exists():
        folders["database"] = settings.data / "postgres"
    if settings.nats_url is None or (settings.data / "nats" / "store").exists():
        folders["transport"] = settings.data / "nats"
    return [
        Disk(name, shutil.disk_usage(folder).free) for name, folder in folders.items() if folder.exists()
    ]


def key_files(settings: Settings) -> list[KeyFile]:
    """Each key: whether it is there, whether others can read it, and until when its certificate holds."""
    paths = {
        "accounts": settings.accounts_key_path,
        "feed": settings.feed_key_path,
        "checkpoint": settings.checkpoint_key_path,
    }
    found = [_file(name, path) for name, path in paths.items()]
    return [*found, _file("cap", settings.cap_key)] if settings.cap_key else found


def _file(name: str, path: Path) -> KeyFile:
    try:
        is_open = others_may_read(path)
        text = path.read_bytes() if name == "cap" else b""
    except OSError:
        return KeyFile(name, present=False, private=False)
    return KeyFile(name, present=True, private=not is_open, expires_at=_end(text))


def _end(pem: bytes) -> datetime | None:
    if not pem:
        return None
    try:
        ends = [each.not_valid_after_utc.astimezone(UTC) for each in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        return None
    return min(ends, default=None)
