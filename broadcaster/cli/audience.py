"""`broadcaster audience recount`: whom an old alert was for, by its own areas and by today's."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from broadcaster.log import UnknownStreamError
from broadcaster.proof.chain import instant
from broadcaster.reckoning.recount import Recounter
from broadcaster.reckoning.recounted import Recount
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError

audience_app = typer.Typer(help="Whom alerts were for.", no_args_is_help=True)


@audience_app.callback()
def _group() -> None: ...


@audience_app.command("recount")
def recount(
    alert_id: Annotated[UUID, typer.Argument(help="The alert's id, as its address ends.")],
    version: Annotated[int | None, typer.Option(min=1, help="The last one without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder.")] = None,
) -> None:
    """Count an old audience again, by the communes of its day, by today's, and against the registry."""
    with House.open(Settings.from_env(data=data)) as house:
        try:
            found = Recounter(house.pool, house.office, house.census).of(alert_id, clock(), version)
        except UnknownStreamError:
            raise
        except LookupError as error:
            raise SettingsError(str(error.args[0])) from None
    if as_json:
        typer.echo(json.dumps([one.model_dump() for one in found], ensure_ascii=False, default=_plain))
        return
    for one in found:
        typer.echo("\n".join(_lines(one)))


def _lines(one: Recount) -> Iterator[str]:
    yield f"version {one.version} by {one.channel}: {one.count} people, frozen {instant(one.frozen_at)}"
    if not one.sound:
        yield "  BAD: its sets are not what their digests and counts say; see `log verify`"
    yield "  by home as it was:"
    for place in one.then:
        yield f"    {place.code} {place.name} ({place.edition}): {place.count}"
    if one.unplaced:
        yield f"    of no recorded home: {one.unplaced}"
    yield f"  by the areas of {one.today}:"
    for here in one.now:
        parted = f", and at most {here.parted} of parted communes" if here.parted else ""
        yield f"    {here.code} {here.name}: {here.whole}{parted}; {here.living} live there now"
    if one.untold:
        yield f"    nobody said what became of their commune: {one.untold}"
    yield f"  by the registry: {one.kept} can still be reached; today it would find {one.still} of them"
    yield f"    and {one.new} others; {one.untouched} found have rows of before, {one.untouched_in} were in"


def _plain(value: object) -> str:
    return instant(value) if isinstance(value, datetime) else str(value)
