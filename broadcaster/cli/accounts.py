"""`broadcaster accounts`: inviting the first people of a console, and closing accounts."""

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.accounts.store import AccountError
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings, SettingsError

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]

accounts_app = typer.Typer(help="Accounts that sign in to the console.", no_args_is_help=True)

_FAULTS = {"name": "2 to 80 of a-z, 0-9, dot, @ and hyphen", "taken": "the account is there already"}


def install(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(accounts_app, name="accounts")


@accounts_app.command("invite")
def invite(name: str, data: DataOption = None) -> None:
    """Invite a person; prints a link for that person alone. Roles are given apart (keys create)."""
    settings = Settings.from_env(data=data)
    with House.open(settings) as house:
        try:
            token = house.desk.accounts.invite(name, SYSTEM.account, clock())
        except AccountError as error:
            raise SettingsError(f"account {name}: {_FAULTS[error.code]}") from None
    typer.echo(f"{settings.url}/console/welcome/{token}")


@accounts_app.command("close")
def close(name: str, data: DataOption = None) -> None:
    """Close an account: it signs in no more, and its sessions end at once."""
    with House.open(Settings.from_env(data=data)) as house:
        if not house.desk.accounts.close(name):
            raise SettingsError(f"account {name}: there is none that is open")
        ended = house.desk.sessions.revoke_all(name)
    typer.echo(f"{name} is closed; {ended} sessions ended")
