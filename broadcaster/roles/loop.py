"""Running a coroutine until the process is asked to stop."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import uvloop

from broadcaster.roles.ending import Ending

T = TypeVar("T")


def until_stopped(ending: Ending, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs it in a loop of its own; that the end is asked for sets the event it is given."""

    async def main() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        ending.tell(lambda: loop.is_closed() or loop.call_soon_threadsafe(stopped.set))
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


@asynccontextmanager
async def ended_by(stopped: asyncio.Event) -> AsyncGenerator[None]:
    """Cancels what it is around when the stop comes, and goes on behind it."""
    task = asyncio.current_task()
    assert task is not None

    async def watch() -> None:
        await stopped.wait()
        task.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        # Ours alone: one that somebody else asked for as well goes on.
        if not stopped.is_set() or task.uncancel() > 0:
            raise
    finally:
        watching.cancel()


async def unless(stopped: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What it answers; None where the stop comes first, and it is cancelled."""
    async with ended_by(stopped):
        return await work
    return None
