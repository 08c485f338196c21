"""`broadcaster screens ...`: what operators make of screens, from the command line."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError

from broadcaster.runtime import House, clock
from broadcaster.screens.book import ScreenBook
from broadcaster.screens.desk import ScreenDesk
from broadcaster.settings import Settings, SettingsError
from broadcaster.web.directory import Directory
from schemas.events import Actor
from schemas.screen_control_requests import ScreenDisplay, ScreensExcluded, ScreensNamed

Asked = TypeVar("Asked", ScreenDisplay, ScreensExcluded, ScreensNamed)

screens_app = typer.Typer(help="Screens: groups, settings, tests, exclusions.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
AccountOption = Annotated[str, typer.Option(help="Who does it, for example hoa@phucxa.")]
BodyOption = Annotated[str, typer.Option(help="The body it is done for, for example ubnd-00001.")]
ScreensOption = Annotated[list[UUID] | None, typer.Option("--screen", help="A screen; may be repeated.")]
GroupsOption = Annotated[list[UUID] | None, typer.Option("--group", help="A group; may be repeated.")]


def _desk(house: House) -> ScreenDesk:
    return ScreenDesk(house.office, Directory(house.log).screens)


@screens_app.command("groups")
def groups(data: DataOption = None) -> None:
    """List groups: id, body, screens, name."""
    with House.open(Settings.from_env(data=data)) as house:
        book = ScreenBook(house.log)
        book.refresh()
        for group in book.groups().values():
            if not group.retired:
                typer.echo(f"{group.id} {group.issuer_id} {len(group.screens)} {group.name}")


@screens_app.command("make-group")
def make_group(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    account: AccountOption,
    body: BodyOption,
    data: DataOption = None,
) -> None:
    """Make a group of a body's."""
    with House.open(Settings.from_env(data=data)) as house:
        made = _desk(house).make_group(Actor(account=account, body=body), body, name, at=clock())
        typer.echo(str(made.id))


@screens_app.command("change-group")
def change_group(
    group: Annotated[UUID, typer.Argument(help="The group, as `screens groups` lists it.")],
    *,
    account: AccountOption,
    body: BodyOption,
    add: Annotated[list[UUID] | None, typer.Option(help="A screen; may be repeated.")] = None,
    remove: Annotated[list[UUID] | None, typer.Option(help="A screen; may be repeated.")] = None,
    data: DataOption = None,
) -> None:
    """Put screens in a group, or take them out."""
    with House.open(Settings.from_env(data=data)) as house:
        by = Actor(account=account, body=body)
        after = _desk(house).change_group(by, group, add or (), remove or (), at=clock())
        typer.echo(f"{after.name}: {len(after.screens)} screens")


@screens_app.command("retire-group")
def retire_group(
    group: Annotated[UUID, typer.Argument(help="The group, as `screens groups` lists it.")],
    account: AccountOption,
    body: BodyOption,
    data: DataOption = None,
) -> None:
    """End a group."""
    with House.open(Settings.from_env(data=data)) as house:
        after = _desk(house).retire_group(Actor(account=account, body=body), group, at=clock())
        typer.echo(f"{after.name} is retired")


@screens_app.command("set")
def set_display(
    *,
    account: AccountOption,
    body: BodyOption,
    screen: Annotated[UUID | None, typer.Option(help="The screen; or --group.")] = None,
    group: Annotated[UUID | None, typer.Option(help="The group; or --screen.")] = None,
    brightness: Annotated[int | None, typer.Option(min=1, max=100, help="Percent.")] = None,
    quiet: Annotated[str, typer.Option(help="Quiet hours, for example 22:00-05:00.")] = "",
    hides_emergencies: Annotated[
        bool, typer.Option("--hides-emergencies", help="Emergencies wait for the end of quiet hours too.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Set brightness and quiet hours, whole: what is not given is left open."""
    if (screen is None) == (group is None):
        raise SettingsError("--screen or --group: one of them")
    begins, _, ends = quiet.partition("-")
    said = {"brightness": brightness, "hides_emergencies": hides_emergencies}
    said |= {"quiet_from": begins, "quiet_until": ends} if quiet else {}
    setting = _checked(ScreenDisplay, said).setting
    with House.open(Settings.from_env(data=data)) as house:
        desk, by = _desk(house), Actor(account=account, body=body)
        if screen is not None:
            desk.set_display(by, screen, setting, at=clock())
        elif group is not None:
            desk.set_group_display(by, group, setting, at=clock())
        typer.echo("set")


@screens_app.command("test-pattern")
def show_pattern(
    screen: Annotated[UUID, typer.Argument(help="The screen's id, as its page's address ends.")],
    *,
    account: AccountOption,
    body: BodyOption,
    seconds: Annotated[int, typer.Option(min=0, max=600, help="0 ends it.")] = 60,
    data: DataOption = None,
) -> None:
    """Show a screen's test pattern for a while."""
    with House.open(Settings.from_env(data=data)) as house:
        by, length = Actor(account=account, body=body), timedelta(seconds=seconds)
        after = _desk(house).ask_pattern(by, screen, length, at=clock())
        typer.echo(f"until {after.pattern_until}")


@screens_app.command("exclude")
def exclude(
    alert: Annotated[UUID, typer.Argument(help="The alert's id, as its address ends.")],
    *,
    account: AccountOption,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    screen: ScreensOption = None,
    group: GroupsOption = None,
    data: DataOption = None,
) -> None:
    """Leave screens and groups out of an alert, live or not."""
    said = {"screens": screen or (), "groups": group or (), "reason": reason}
    asked = _checked(ScreensExcluded, said)
    with House.open(Settings.from_env(data=data)) as house:
        by = Actor(account=account)
        after = _desk(house).exclude(by, alert, asked.screens, asked.groups, asked.reason, at=clock())
        typer.echo(f"{len(after.screens)} screens and {len(after.groups)} groups are left out")


@screens_app.command("readmit")
def readmit(
    alert: Annotated[UUID, typer.Argument(help="The alert's id, as its address ends.")],
    *,
    account: AccountOption,
    screen: ScreensOption = None,
    group: GroupsOption = None,
    data: DataOption = None,
) -> None:
    """Have screens and groups show an alert again."""
    asked = _checked(ScreensNamed, {"screens": screen or (), "groups": group or ()})
    with House.open(Settings.from_env(data=data)) as house:
        by = Actor(account=account)
        after = _desk(house).readmit(by, alert, asked.screens, asked.groups, at=clock())
        typer.echo(f"{len(after.screens)} screens and {len(after.groups)} groups are left out")


def _checked(kind: type[Asked], said: object) -> Asked:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"--{part}: " for part in first["loc"][:1])
        raise SettingsError(f"{place}{first['msg'].removeprefix('Value error, ')}") from None
