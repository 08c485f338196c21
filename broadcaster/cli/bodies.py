"""`broadcaster bodies`: what the operator does with issuing bodies."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.commands.bodies import BodyCommands
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings, SettingsError

bodies_app = typer.Typer(help="Issuing bodies.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]


@bodies_app.command("show")
def show(
    body: Annotated[str, typer.Argument(help="For example ubnd-00001.")], data: DataOption = None
) -> None:
    """Print what a body is now, and who answers for it."""
    with House.open(Settings.from_env(data=data)) as house:
        at = clock()
        found = house.office.body(body, at)
        typer.echo(f"{found.issuer_id}: {found.name}, {found.kind}, level {found.level}")
        typer.echo(f"  area {found.seat(house.tree().edition) or '-'}; parent {found.parent or '-'}")
        typer.echo(f"  fields {', '.join(sorted(found.fields))}")
        for contact in found.contacts:
            typer.echo(f"  {contact.kind} {contact.value}")
        if found.closed_at is not None:
            heirs = ", ".join(one.issuer_id for one in house.office.answering(body, at))
            typer.echo(f"  ends at {found.closed_at.isoformat()}; {heirs or 'nobody'} answers for it")


@bodies_app.command("merge")
def merge(
    body: Annotated[str, typer.Argument(help="The body that ends, for example so-tttt.")],
    into: Annotated[list[str], typer.Option(help="Who takes over; repeat for more than one.")],
    on: Annotated[str, typer.Option(help="The day it ends, for example 2025-03-01.")],
    data: DataOption = None,
) -> None:
    """End a body on a day and pass its rights and open work on. Roles do not pass: grant them anew."""
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise SettingsError(f"--on: {on} is not a day like 2025-03-01") from None
    with House.open(Settings.from_env(data=data)) as house:
        merged = BodyCommands(house.office).merge(SYSTEM, body, into, on=day, at=clock())
        typer.echo(f"{merged.issuer_id} ends at {merged.closed_at} and passes to {', '.join(into)}")
