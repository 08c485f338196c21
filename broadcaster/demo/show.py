"""The demo on a terminal: bars while it runs, one table at the end. On standard error."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

LABELS = {
    "people": "subscribers, bytes",
    "alerts": "alerts issued",
    "push": "push",
    "sms": "SMS",
    "led": "screens up to date",
}


class Show:
    """Bars, made as they are first heard of."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}

    def report(self, what: str, done: int, total: int) -> None:
        """How far something is; from any thread."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(LABELS.get(what, what), total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)

    def table(self, figures: dict[str, Any], wrong: list[str]) -> None:
        """The figures, and what does not agree."""
        table = Table(title="A city alerted", title_justify="left")
        seldom = ("expired", "superseded", "unknown")
        seen = [name for name in seldom if any(each.get(name) for each in figures["channels"].values())]
        names = ("audience", "accepted", "gone", "refused", "dead", *seen)
        for heading in ("channel", *names, "received", "twice"):
            table.add_column(heading, justify="left" if heading == "channel" else "right")
        for name, double in figures["sandbox"].items():
            channel = figures["channels"][name]
            values = [channel[each] for each in names] + [double["received"], double["duplicates"]]
            table.add_row(LABELS[name], *(f"{value:,}" for value in values))
        self._console.print(table)
        led, cadence, log = figures["channels"]["led"], figures["cadence"], figures["log"]
        self._console.print(
            f"{figures['issued']} alerts in {figures['seconds']} s."
            f" {led['served']} of {led['screens']} screens up to date.\n"
            f"Cadence: {cadence['bodies']} bodies, {cadence['overdue']} overdue."
            f" Log: {log['events']} events, {'chain sound' if log['verified'] else 'CHAIN BROKEN'}.\n"
            "received and twice are what the doubles counted; the rest is ours."
            + ("" if wrong else " Every figure agrees.")
        )
        for each in wrong:
            self._console.print(f"does not agree: {each}", style="bold red")

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(text)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
