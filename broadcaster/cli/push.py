"""`broadcaster push status | route`: topics as a fallback that the operator can choose."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from broadcaster.topics.route import RouteCommands
from schemas.events import Route
from schemas.requests import Body, Reason

push_app = typer.Typer(help="The road of push: tokens, or FCM topics.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded.")]


class _Choice(Body):
    route: Route
    reason: Reason


@push_app.command("status")
def status(data: DataOption = None) -> None:
    """Say by which road emergencies go, and how far topics are out of step with the registry."""
    with House.open(Settings.from_env(data=data)) as house:
        route = RouteCommands(house.office, house.topics).now().route
        found = house.topics.standing(clock())
        typer.echo(f"route {route}; topics are {'kept' if house.topics.wanted else 'not kept'}")
        typer.echo(
            f"in topics {found.members}, out of step {found.out}, waiting for an alert to end "
            f"{found.waiting}, not taken {found.refused}"
        )
        if found.halted:
            typer.echo(f"halted: the service refuses our calls ({found.halted})")


@push_app.command("route")
def choose(
    route: Annotated[str, typer.Argument(help="tokens or topics.")],
    reason: ReasonOption,
    by: ByOption = OPERATOR,
    data: DataOption = None,
) -> None:
    """Choose the road of emergencies issued from now on; topics are refused while out of step."""
    asking = operator(by)
    try:
        asked = _Choice.model_validate({"route": route, "reason": reason})
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        rule = "tokens or topics" if field == "route" else "1 to 500 characters, no control characters"
        raise SettingsError(f"{'ROUTE' if field == 'route' else '--reason'}: {rule}") from None
    with House.open(Settings.from_env(data=data)) as house:
        commands = RouteCommands(house.office, house.topics)
        commands.choose(asking, asked.route, asked.reason, at=clock())
        typer.echo(f"emergencies issued from now on are pushed by {route}")


@push_app.command("resync")
def resync(data: DataOption = None) -> None:
    """Subscribe everyone again, say after a restore from a copy. No topic is used before it is done."""
    with House.open(Settings.from_env(data=data)) as house:
        typer.echo(f"{house.topics.resync()} phones are to be subscribed again")
