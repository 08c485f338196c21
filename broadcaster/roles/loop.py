"""Running a coroutine until the process is asked to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import uvloop


def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs it in a loop of its own; SIGTERM and SIGINT set the event it is given."""

    async def main() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stopped.set)
        await work(stopped)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def pause(stopped: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until the stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        return
