"""The doubles as processes of their own: `python -m broadcaster.sandbox fcm|webpush|carrier FOLDER`.

The house starts them beside its roles where no real provider is set.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

import uvloop

from channels.push import sandbox as push_sandbox
from channels.push.web import sandbox as web_push_sandbox
from channels.sms import sandbox as sms_sandbox


async def _carrier(folder: Path) -> None:
    task = asyncio.create_task(sms_sandbox.run(folder))
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def main(double: str, folder: Path) -> None:
    """Runs a double until SIGTERM or SIGINT, in folders of its own: fcm; webpush; smsc and smtp."""
    match double:
        case "fcm":
            push_sandbox.run(folder / "fcm")
        case "webpush":
            web_push_sandbox.serve_browsers(folder / "webpush")
        case "carrier":
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_carrier(folder))
        case _:
            raise SystemExit(f"no double {double}: fcm, webpush or carrier")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
