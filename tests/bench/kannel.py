"""Kannel, the SMS gateway of Debian's package `kannel`, between its HTTP interface and the double."""

import asyncio
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from broadcaster.engines.natshome import free_port
from channels.sms import render
from channels.sms.sandbox import Endpoint, read_endpoint
from tests.bench.smsc import IN_FLIGHT, alert, child, cpu_of, medians, people, received

HTTP_AT_ONCE = 32
WAIT = 120.0
MOST = 2_000
"""Messages of one round: it takes them far more slowly than the others, by the way it is fed."""
MISSING = "skipped: no bearerbox and smsbox on PATH or in BENCH_KANNEL (Debian package kannel)"
KANNEL = """
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-level = 4

group = smsc
smsc = smpp
smsc-id = double
host = {host}
port = {port}
smsc-username = {user}
smsc-password = {password}
system-type = ""
transceiver-mode = true
interface-version = 34
max-pending-submits = {in_flight}
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
global-sender = HANOI
log-level = 4

group = sendsms-user
username = bench
password = bench
"""


def kannel(folder: Path, double: int, recipients: int, rounds: int) -> dict[str, Any]:
    """Both of its boxes' CPU; the HTTP client that feeds it is not counted."""
    at = read_endpoint(folder / "smsc")
    where = os.environ.get("BENCH_KANNEL")
    boxes = [shutil.which(box, path=where) for box in ("bearerbox", "smsbox")]
    if not all(boxes):
        return {"skipped": MISSING}
    ports = {name: free_port() for name in ("admin", "box", "http")}
    conf = folder / "kannel.conf"
    conf.touch(0o600)
    login = {"host": at.host, "port": at.port, "user": at.system_id, "password": at.password}
    conf.write_text(KANNEL.format(**ports, **login, in_flight=IN_FLIGHT))
    with ExitStack() as stack:
        pids: list[int] = []
        for box in boxes:
            pids.append(stack.enter_context(child([str(box), str(conf)], folder / f"box-{len(pids)}.log")))
            time.sleep(2.0)  # there is no word from either that it is ready
        url = f"http://127.0.0.1:{ports['http']}/cgi-bin/sendsms"
        return medians([fed(url, at, double, pids, min(recipients, MOST)) for _ in range(rounds)])


def fed(url: str, at: Endpoint, double: int, pids: list[int], count: int) -> dict[str, float]:
    """One run: until the double has them all."""
    text = render(alert(), "vi")
    before, theirs, spent = received(at), cpu_of(double), sum(map(cpu_of, pids))
    began = time.perf_counter()

    async def run() -> None:
        numbers = iter([person.address[1:] for person in people(count)])
        limits = httpx.Limits(max_connections=HTTP_AT_ONCE)
        async with httpx.AsyncClient(limits=limits, timeout=30) as client:

            async def slot() -> None:
                for number in numbers:
                    asked = {"username": "bench", "password": "bench", "to": number, "text": text}
                    answer = await client.get(url, params=asked)
                    assert answer.status_code == 202, answer.text

            await asyncio.gather(*(slot() for _ in range(HTTP_AT_ONCE)))

    asyncio.run(run())
    deadline = time.monotonic() + WAIT
    while received(at) - before < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"kannel lost {count - received(at) + before} messages")
        time.sleep(0.02)
    ended = time.perf_counter()
    return {
        "wall": (ended - began) / count,
        "cpu": (sum(map(cpu_of, pids)) - spent) / count,
        "double": (cpu_of(double) - theirs) / count,
    }
