"""What the contenders of the SMS benchmark share: the double, the alert, the phones, the clocks."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from broadcaster.runtime import clock
from channels.gateway import Message, Recipient
from channels.sms.sandbox import Endpoint
from schemas.content import Certainty, Content, Kind, MsgType, Severity, Text, Urgency

IN_FLIGHT = 400


@contextmanager
def doubled(folder: Path) -> Generator[int]:
    """The double's process."""
    with child(
        [sys.executable, "-m", "broadcaster.sandbox", "carrier", str(folder)], folder / "log"
    ) as pid:
        deadline = time.monotonic() + 30
        while not (folder / "smtp" / "endpoint.json").exists():
            if time.monotonic() > deadline:
                raise SystemExit("the double did not start")
            time.sleep(0.05)
        yield pid


@contextmanager
def child(argv: list[str], log: Path) -> Generator[int]:
    """A process that ends with the context; its id."""
    with log.open("wb") as said:
        process = subprocess.Popen(argv, stdout=said, stderr=said)
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def received(at: Endpoint) -> int:
    """What the double has taken."""
    counted: int = httpx.get(at.stats_url).json()["received"]
    return counted


def alert() -> Message:
    """One short message's worth."""
    content = Content(
        kind=Kind.ALERT,
        category="ngap_ung",
        severity=Severity.SEVERE,
        urgency=Urgency.IMMEDIATE,
        certainty=Certainty.LIKELY,
        texts={"vi": Text(headline="Ngập sâu tại Phúc Xá", description="Nước lên nhanh, không ra đường.")},
        areas=("00001",),
    )
    now = clock()
    end = now + timedelta(hours=6)
    return Message(uuid4(), 1, MsgType.ALERT, content.lane, "UBND phường Phúc Xá", content, now, end)


def people(count: int) -> list[Recipient]:
    """So many phones."""
    return [Recipient(rank, rank, f"+8491{rank:06d}9", "msisdn", "", "vi") for rank in range(count)]


def medians(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Of several runs: microseconds of CPU a message, messages a second."""
    middle = {name: statistics.median(run[name] for run in runs) for name in ("wall", "cpu", "double")}
    return {
        "cpu_us_per_message": round(middle["cpu"] * 1e6, 1),
        "double_us_per_message": round(middle["double"] * 1e6, 1),
        "per_second": round(1 / middle["wall"]),
    }
