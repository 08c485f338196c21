"""`broadcaster areas`: the register, its reorganisation, and names to codes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli.boundaries import boundaries
from broadcaster.drafting.area_names import AreaNames
from broadcaster.log import ConflictError
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import DescriptionError, load
from broadcaster.reorganisation.mover import Done
from broadcaster.reorganisation.report import Report
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from schemas.areas import Area, AreaTree

areas_app = typer.Typer(help="The area register and its editions.", no_args_is_help=True)
areas_app.command("boundaries")(boundaries)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]


@areas_app.command("list")
def list_editions(data: DataOption = None) -> None:
    """List the editions that are adopted; * is the one in force."""
    with House.open(Settings.from_env(data=data)) as house:
        current = house.tree().edition
        for edition in sorted(house.office.register().editions, key=lambda one: one.effective_on):
            mark = "*" if edition.name == current else " "
            lowest = len(edition.tree.leaves(edition.tree.root))
            typer.echo(
                f"{mark} {edition.name} from {edition.effective_on}: "
                f"{len(edition.areas)} areas, {lowest} of the lowest level"
            )


@areas_app.command("reorganise")
def reorganise(
    description: Annotated[
        str, typer.Argument(help="A .json or .toml file, a folder of CSV files, or a packaged edition.")
    ],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it only the report.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one line of JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Tell what a new edition does to areas, bodies, subscribers and screens; with --apply, do it."""
    try:
        said = load(description)
        with House.open(Settings.from_env(data=data)) as house:
            commands = ReorganisationCommands(house.pool, house.office)
            if apply and commands.is_adopted(said):
                typer.echo(f"edition {said.edition} is recorded already; moving who is left")
                _told(house.move_due_subscribers())
                return
            if not apply or not yes:
                _print(commands.try_out(said, clock()), as_json=as_json)
            if not apply:
                typer.echo("nothing was changed; --apply does it", err=True)
                return
            if not yes:
                typer.confirm("Apply it?", abort=True, err=True)
            report = commands.apply(said, SYSTEM, clock())
            if yes:
                _print(report, as_json=as_json)
            typer.echo(f"edition {report.edition} is recorded", err=True)
            _told(house.move_due_subscribers())
            typer.echo(
                "run it again with --apply if it was interrupted: what is done is not done twice", err=True
            )
    except (DescriptionError, ConflictError) as error:
        typer.echo(f"broadcaster: {error}", err=True)
        raise typer.Exit(2) from None


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(report.model_dump_json())
        return
    for line in report.lines():
        sys.stdout.write(line + "\n")


def _told(done: Done) -> None:
    if done.waiting:
        typer.echo("subscribers wait for the audiences of earlier alerts; serve moves them", err=True)
    typer.echo(
        f"{done.subscribers:,} subscribers moved, {done.unsettled:,} are to be asked where they live; "
        f"{done.screens:,} more screens moved",
        err=True,
    )


@areas_app.command("match")
def match_names(
    names: Annotated[str, typer.Argument(help="A file of names, or - for standard input.")],
    edition: Annotated[str | None, typer.Option(help="Instead of the one in force.")] = None,
    data: DataOption = None,
) -> None:
    """Print the codes of a list of names; exit code 1 where one means several areas, or none."""
    try:
        text = sys.stdin.read() if names == "-" else Path(names).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"broadcaster: {names}: {error}", err=True)
        raise typer.Exit(2) from None
    with House.open(Settings.from_env(data=data)) as house:
        tree = house.office.register().edition(edition).tree if edition else house.tree()
    try:
        found = AreaNames(tree).match(text)
    except ValueError as error:
        typer.echo(f"broadcaster: {names}: {error}", err=True)
        raise typer.Exit(2) from None
    for one in found:
        if len(one.areas) == 1:
            typer.echo(f"{one.areas[0].code}\t{_placed(tree, one.areas[0])}")
        else:
            may = "; ".join(f"{area.code} {_placed(tree, area)}" for area in one.areas)
            typer.echo(f"{one.text}: {f'may be {may}' if may else 'no such area'}", err=True)
    if any(len(one.areas) != 1 for one in found):
        raise typer.Exit(1)


def _placed(tree: AreaTree, area: Area) -> str:
    return ", ".join([area.name, *(tree[code].name for code in tree.ancestors(area.code)[:1])])
