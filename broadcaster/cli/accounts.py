"""`broadcaster accounts`: inviting the first people of a console, and closing accounts."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.account import Role
from broadcaster.accounts.store import AccountError, State, is_name
from broadcaster.commands.packaged_templates import CITY
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings, SettingsError

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]

FEWEST = 2
"""Managers below which nobody can confirm what the other asks."""

accounts_app = typer.Typer(help="Accounts that sign in to the console.", no_args_is_help=True)

_FAULTS = {"name": "2 to 80 of a-z, 0-9, dot, @ and hyphen", "taken": "the account is there already"}


def install(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(accounts_app, name="accounts")


@accounts_app.command("invite")
def invite(
    name: Annotated[str, typer.Argument(help="The account, for example lan@phucxa.")],
    data: DataOption = None,
) -> None:
    """Invite a person; prints a link for that person alone. Roles are given apart (keys create)."""
    settings = Settings.from_env(data=data)
    with House.open(settings) as house:
        try:
            token = house.desk.accounts.invite(name, SYSTEM.account, clock())
        except AccountError as error:
            raise SettingsError(f"account {name}: {_FAULTS[error.code]}") from None
    typer.echo(f"{settings.url}/console/welcome/{token}")


@accounts_app.command("managers")
def managers(
    names: Annotated[list[str], typer.Argument(help="Two people, or one where the body has one left.")],
    body: Annotated[str, typer.Option(help="The body they manage.")] = CITY,
    data: DataOption = None,
) -> None:
    """Make the first two managers of a body; prints a link for each. All others they let in themselves."""
    settings = Settings.from_env(data=data)
    with House.open(settings) as house:
        at = clock()
        house.office.open_body(body, at)
        there = [name for name in _managers(house, body) if name not in names]
        if len(set(names)) != len(names) or len(there) + len(names) != FEWEST:
            told = f" beside {', '.join(there)}" if there else ""
            raise SettingsError(
                f"{body}: name {max(FEWEST - len(there), 0)} managers{told}; they ask for more"
            )
        for name in names:
            if not is_name(name):
                raise SettingsError(f"account {name}: {_FAULTS['name']}")
            if house.desk.accounts.state(name) is State.CLOSED:
                raise SettingsError(f"account {name}: it was closed, which is for ever; take another name")
        for name in names:
            _make_manager(house, name, body, at)


def _managers(house: House, body: str) -> list[str]:
    """Those who sign in or were invited to: a program's key confirms nothing in the console."""
    state = house.desk.accounts.state
    return [
        name for name in house.access.index.managers(body) if state(name) in {State.ACTIVE, State.INVITED}
    ]


def _make_manager(house: House, name: str, body: str, at: datetime) -> None:
    if (body, Role.MANAGER) not in house.office.account(name).roles:
        house.setup.grant(SYSTEM, name, body, Role.MANAGER, at=at)
    if house.desk.accounts.state(name) is State.ACTIVE:
        typer.echo(f"{name} signs in as before")
        return
    token = house.desk.accounts.invite(name, SYSTEM.account, at)
    typer.echo(f"{name} {house.settings.url}/console/welcome/{token}")


@accounts_app.command("close")
def close(
    name: Annotated[str, typer.Argument(help="The account, for example lan@phucxa.")],
    data: DataOption = None,
) -> None:
    """Close an account: it signs in no more, and its sessions and its API keys end at once."""
    with House.open(Settings.from_env(data=data)) as house:
        if not house.desk.accounts.close(name, SYSTEM.account, clock()):
            raise SettingsError(f"account {name}: there is none that is open")
        ended = house.desk.sessions.revoke_all(name)
        # A key opens all that the account may do: who has left must not issue by one.
        keys = house.keys.revoke_account(name, clock())
    typer.echo(f"{name} is closed; {ended} sessions and {keys} keys ended")
