"""`broadcaster dead-letters list | replay | write-off`."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from broadcaster.commands.dead_letters import DeadLetterCommands
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from projections.reach import letters_view
from projections.reach.letters_view import State
from schemas.events import Actor
from schemas.requests import Body, Reason

dead_letters_app = typer.Typer(help="Recipients that were given up.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
LetterArgument = Annotated[UUID, typer.Argument(help="The dispatch that gave them up.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded.")]
AccountOption = Annotated[str, typer.Option(help="A manager of the alert's body, for example hoa@phucxa.")]


class _Why(Body):
    reason: Reason


@dead_letters_app.command("list")
def list_letters(
    data: DataOption = None,
    alert: Annotated[UUID | None, typer.Option(help="Only of this alert.")] = None,
    state: Annotated[str, typer.Option(help="open, replayed, written_off or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List them, the newest first: dispatch, alert, version, channel, recipients, state, reasons."""
    wanted: dict[str, State | None] = {
        "open": "open",
        "replayed": "replayed",
        "written_off": "written_off",
        "all": None,
    }
    if state not in wanted:
        raise SettingsError(f"--state: {state} is not one of {', '.join(wanted)}")
    with House.open(Settings.from_env(data=data)) as house, house.pool.connection() as conn:
        for letter in letters_view.find(conn, alert_id=alert, state=wanted[state], limit=limit):
            reasons = ", ".join(f"{why} {count}" for why, count in letter.reasons.items()) or "-"
            typer.echo(
                f"{letter.dispatch_id} {letter.alert_id} v{letter.version} {letter.channel} {letter.count}"
                f" {letter.state} {reasons}"
            )


@dead_letters_app.command("replay")
def replay(
    letter: LetterArgument, reason: ReasonOption, account: AccountOption, data: DataOption = None
) -> None:
    """Try those it gave up once more; refused once the version is superseded, withdrawn or expired."""
    with House.open(Settings.from_env(data=data)) as house:
        commands = DeadLetterCommands(house.office)
        made = commands.replay(Actor(account=account), letter, _checked(reason), at=clock())
        typer.echo(f"{len(made.dispatch.ranks)} recipients are ordered again as {made.dispatch.id}")


@dead_letters_app.command("write-off")
def write_off(
    letter: LetterArgument, reason: ReasonOption, account: AccountOption, data: DataOption = None
) -> None:
    """Let those it gave up be."""
    with House.open(Settings.from_env(data=data)) as house:
        commands = DeadLetterCommands(house.office)
        made = commands.write_off(Actor(account=account), letter, _checked(reason), at=clock())
        typer.echo(f"{made.count} recipients are written off")


def _checked(reason: str) -> str:
    try:
        return _Why(reason=reason).reason
    except ValueError:
        raise SettingsError("--reason: 1 to 500 characters, no control characters") from None
