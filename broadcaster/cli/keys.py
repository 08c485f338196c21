"""`broadcaster keys`: the API keys of staff and programs, and that of the app's own server."""

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.account import Role
from broadcaster.accounts.store import State
from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.keys.rows import KeyKind
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings, SettingsError

keys_app = typer.Typer(help="API keys of accounts.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
NAME = 100
"""Most characters of the name of an app's server."""


@keys_app.command("create")
def create(
    account: Annotated[str, typer.Option(help="Whose key it is, for example lan@phucxa.")],
    body: Annotated[str, typer.Option(help="The body it acts for, for example ubnd-00001.")],
    role: Annotated[list[Role], typer.Option(help="What it may do; repeat for more than one.")],
    data: DataOption = None,
) -> None:
    """Give an account a key and its roles. The key is printed once and cannot be read again."""
    with House.open(Settings.from_env(data=data)) as house:
        house.office.issuer(body)
        if house.desk.accounts.state(account) is State.CLOSED:
            raise SettingsError(f"account {account}: it was closed, which is for ever; take another name")
        key_id, secret = house.keys.create(account, body, KeyKind.STAFF, clock())
        for each in role:
            house.setup.grant(SYSTEM, account, body, each, at=clock(), key_id=key_id)
        typer.echo(secret)


@keys_app.command("list")
def show(data: DataOption = None) -> None:
    """List the keys, without their secrets."""
    with House.open(Settings.from_env(data=data)) as house:
        for key in house.keys.list():
            state = "revoked" if key.revoked_at else "live"
            typer.echo(f"{key.key_id} {state:<8} {key.kind:<7} {key.account} {key.body or '-'}")


@keys_app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `keys list` names it.")],
    by: ByOption = OPERATOR,
    data: DataOption = None,
) -> None:
    """End a key, at once. The log is told by whom."""
    asking = operator(by)
    with House.open(Settings.from_env(data=data)) as house:
        if not house.keys.revoke(key_id, clock(), by=asking):
            raise LookupError(f"no live key {key_id}")
        typer.echo(f"{key_id} is revoked")


@keys_app.command("app")
def of_app(
    name: Annotated[str, typer.Argument(help="Of the server, for example ihanoi.")],
    by: ByOption = OPERATOR,
    data: DataOption = None,
) -> None:
    """Give the server of the citizens' app a key: it vouches for the numbers of those who signed in there.

    The key is printed once and cannot be read again. It opens nothing else. The log is told by whom.
    """
    if not 1 <= len(name) <= NAME or not name.isprintable():
        raise SettingsError(f"NAME: 1 to {NAME} characters, no control characters")
    asking = operator(by)
    with House.open(Settings.from_env(data=data)) as house:
        _, secret = house.keys.create_for_app(f"app:{name}", clock(), asking)
        typer.echo(secret)
