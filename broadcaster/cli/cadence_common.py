"""What the commands of `broadcaster cadence` share: options, instants and periods, the view brought up."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.runtime import House, clock
from broadcaster.settings import SettingsError
from projections.cadence.rule import midnight

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Lines = Annotated[bool, typer.Option("--json", help="One JSON object a line, one line a body.")]
Level = Annotated[list[int] | None, typer.Option("--level", min=1, max=4, help="Repeat for more.")]
To = Annotated[str | None, typer.Option("--to", metavar="T", help="Just before it; now without it.")]


def catch_up(house: House) -> None:
    """Brings the view to the log's end, as a follower does. Raises SettingsError where it is stopped."""
    follower = house.follower(house.projection("cadence"))
    follower.catch_up()
    standing = follower.standing()
    if standing.stopped_at is not None:
        raise SettingsError(f"cadence is stopped at position {standing.stopped_at}; see `status`")


def period(since: str, until: str | None) -> tuple[datetime, datetime]:
    """From and to. Raises SettingsError where that is no past period."""
    now = clock()
    start, end = moment("--from", since), now if until is None else moment("--to", until)
    if end > now:
        raise SettingsError("--to: lies in the future, so the answer could still change")
    if start >= end:
        raise SettingsError("--from: is not before --to")
    return start, end


def moment(option: str, text: str) -> datetime:
    """An instant with its offset, or the beginning of a day in Hanoi. Raises SettingsError."""
    try:
        if len(text) == len("2026-07-10"):
            return midnight(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: {text} is neither a day nor an ISO 8601 instant") from None
    if at.tzinfo is None:
        raise SettingsError(f"{option}: say the offset, for example +07:00 or Z")
    return at
