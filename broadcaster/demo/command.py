"""`broadcaster demo`."""

import json
import logging
import shutil
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer

from broadcaster.demo import staff
from broadcaster.demo.drive import DemoError
from broadcaster.demo.play import Play
from broadcaster.demo.show import Show
from broadcaster.engines.natshome import free_port
from broadcaster.process import logs
from broadcaster.service import Service
from broadcaster.settings import Settings

log = structlog.get_logger(__name__)

STEP = 0.1
DOUBLE_RATE = 10_000.0
"""SMS parts a second: more than a carrier sells, as much as the double can take."""


def demo(  # noqa: PLR0917 (typer reads them as options)
    data: Annotated[
        Path | None,
        typer.Option(
            help="The data folder; a second start in it resumes. Without it, one that is gone at the end."
        ),
    ] = None,
    subscribers: Annotated[int, typer.Option(min=1, max=5_000_000, help="Synthetic subscribers.")] = 20_000,
    screens: Annotated[int, typer.Option(min=1, max=5_000, help="Screens that poll.")] = 200,
    port: Annotated[int | None, typer.Option(help="Port of the web pages; a free one without it.")] = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="End when all is delivered; exit code 0 only if every figure agrees."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Show a city being alerted: 25 sample alerts to phones, SMS and screens, against the sandbox."""
    logs.configure(logging.WARNING)
    with _folder(data) as folder:
        settings = Settings.from_env(
            data=folder,
            listen=f"127.0.0.1:{_port(folder, port)}",
            providers="sandbox",
            sms_rate=DOUBLE_RATE,
        )
        if settings.database_url is not None or settings.nats_url is not None:
            raise DemoError("the demo brings its own engines: unset BROADCASTER_DATABASE_URL and _NATS_URL")
        agreed = _run(settings, subscribers=subscribers, screens=screens, once=once, as_json=as_json)
    if not agreed:
        raise typer.Exit(1)


def _run(settings: Settings, *, subscribers: int, screens: int, once: bool, as_json: bool) -> bool:
    show = Show()
    with _signals() as stopped, Service(settings) as service:
        play = Play(settings, show.report, subscribers=subscribers, screens=screens)
        with show:
            play.start()
            while not play.over.is_set() and not stopped:
                service.supervisor.step(STEP)
        if not stopped:
            _tell(play, show, as_json=as_json)
        if not once and not stopped and play.failure is None:
            keys = settings.data / "demo.json"
            show.say(f"\n[bold]What is live now: {settings.url}[/]")
            show.say(staff.told(settings.url, settings.data))
            show.say(f"API: {settings.url}/docs\n  keys      in {keys}")
            show.say("Ctrl-C ends it.")
            while not stopped:
                service.supervisor.step(STEP)
        play.stop()
    return play.failure is None and not play.wrong and bool(play.figures)


def _tell(play: Play, show: Show, *, as_json: bool) -> None:
    if play.failure is not None:
        show.say(f"the demo failed: {type(play.failure).__name__}: {play.failure}")
        log.error("demo_failed", error=str(play.failure), exc_info=play.failure)
        return
    show.table(play.figures, play.wrong)
    if as_json:
        typer.echo(json.dumps(play.figures, ensure_ascii=False))


@contextmanager
def _signals() -> Generator[list[int]]:
    """The signals to stop that came, as they come."""
    came: list[int] = []
    each = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in each}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder(data: Path | None) -> Generator[Path]:
    """The folder given, or a fresh one that goes away again."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    fresh = Path(tempfile.mkdtemp(prefix="broadcaster-demo-"))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _port(folder: Path, port: int | None) -> int:
    """The one asked for, the one of the first start here, or a free one."""
    if port is not None:
        return port
    file = folder / "demo.json"
    if file.exists():
        address: str = json.loads(file.read_text(encoding="utf-8"))["address"]
        return int(address.rpartition(":")[2])
    return free_port()
