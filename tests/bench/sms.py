"""SMS against the double: `python -m tests.bench.sms [--json] [--recipients N] [--rounds R]`.

Contenders take turns on one SMSC double in a process of its own: our pool of carriers with receipts kept
and without, smpp34's own client, and Kannel (Debian's `kannel`), which is fed over its HTTP interface.
Kannel is found on PATH or in the folder that BENCH_KANNEL names; without it, its row says why it is
missing. CPU time a message is the steady figure on a shared machine; wall time is not.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import smpp34
import structlog
import uvloop

from channels.sms import Member, SmppSettings, SmsGateway, SmsPool, render
from channels.sms.receipts import Book
from channels.sms.sandbox import Endpoint, read_endpoint
from schemas.dispatch import Outcome
from tests.bench.kannel import kannel
from tests.bench.smsc import IN_FLIGHT, alert, cpu_of, doubled, medians, people, received

WINDOW, SLOTS = 50, 8


def main() -> None:
    """Runs the benchmark and prints a table, and one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="bench-sms-") as name:
        rows = bench(Path(name), options.recipients, options.rounds)
    if not options.json:
        show(rows)
    print(json.dumps({"bench": "sms", "recipients": options.recipients, "rows": rows}))


def bench(folder: Path, recipients: int, rounds: int) -> dict[str, dict[str, Any]]:
    """The medians of all rounds, by contender."""
    with doubled(folder) as double:
        at = read_endpoint(folder / "smsc")
        told: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for name, contender in (
                ("ours", ours(at, receipts=False)),
                ("ours, receipts kept", ours(at, receipts=True)),
                ("smpp34", others(at)),
            ):
                told.setdefault(name, []).append(timed(contender, recipients, double, at))
        rows: dict[str, dict[str, Any]] = {name: medians(runs) for name, runs in told.items()}
        rows["kannel"] = kannel(folder, double, recipients, rounds)
    return rows


# --- the contenders in this process -----------------------------------------------------------------

Contender = Callable[[int], Awaitable[None]]


def ours(at: Endpoint, *, receipts: bool) -> Contender:
    """The pool, as a worker drives it: several dispatches at once, a window of each at a time."""

    async def run(count: int) -> None:
        book = Book()
        settings = SmppSettings(
            at.host,
            at.port,
            at.system_id,
            at.password,
            "HANOI",
            receipts=receipts,
            messages_per_second=1e6,
            in_flight=IN_FLIGHT,
        )
        message = alert()
        async with SmsPool([Member(SmsGateway(settings, WINDOW, book=book))], lambda: message.sent) as pool:
            windows = pool.route(message, people(count))

            async def slot() -> None:
                for window in windows:
                    results = await pool.send(message, window)
                    assert {result.outcome for result in results} == {Outcome.ACCEPTED}

            await asyncio.gather(*(slot() for _ in range(SLOTS)))
            settled = 0
            while receipts and settled < count:
                await asyncio.sleep(0.01)
                settled += sum(counts.total() for counts in book.take().counts.values())

    return run


def others(at: Endpoint) -> Contender:
    """smpp34's client, as many in flight."""

    async def run(count: int) -> None:
        client = smpp34.Client(at.host, at.port, at.system_id, at.password)
        session = await client.connect()
        text = render(alert(), "vi").encode("ascii")
        numbers = iter([person.address[1:] for person in people(count)])

        async def slot() -> None:
            for number in numbers:
                assert (await session.submit_sm(number, text, source_addr="HANOI")).is_success

        await asyncio.gather(*(slot() for _ in range(IN_FLIGHT)))
        await session.unbind()

    return run


def timed(contender: Contender, count: int, double: int, at: Endpoint) -> dict[str, float]:
    """Wall and CPU seconds of one run, here and in the double."""
    before, theirs = received(at), cpu_of(double)
    began, spent = time.perf_counter(), time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(awaited(contender(count)))
    ended, spent = time.perf_counter(), time.process_time() - spent
    assert received(at) - before == count
    return {
        "wall": (ended - began) / count,
        "cpu": spent / count,
        "double": (cpu_of(double) - theirs) / count,
    }


async def awaited(work: Awaitable[None]) -> None:
    """A coroutine of any awaitable."""
    await work


def show(rows: dict[str, dict[str, Any]]) -> None:
    """The figures for a person."""
    print(f"{'':<22}{'CPU us/message':>16}{'messages/s':>12}{'double us':>11}")
    for name, row in rows.items():
        if "skipped" in row:
            print(f"{name:<22}{row['skipped']}")
        else:
            figures = (row["cpu_us_per_message"], row["per_second"], row["double_us_per_message"])
            print(f"{name:<22}{figures[0]:>16}{figures[1]:>12}{figures[2]:>11}")


if __name__ == "__main__":
    main()
