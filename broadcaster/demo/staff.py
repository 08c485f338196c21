"""Accounts of the demo's console: one for each role of two bodies, with a password that everyone knows.

They exist in a demo's own database only. The second factor is one secret for all, made anew for each demo.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.accounts import codes
from broadcaster.demo.drive import DemoError
from broadcaster.runtime import SYSTEM, House, clock

PASSWORD = "demo: canh bao Ha Noi"  # noqa: S105 (of the demo only, and told to everyone)
BODIES = ("ubnd-tp", "ubnd-00001")
ROLES = ("author", "approver", "manager", "auditor")


def names() -> list[str]:
    """The accounts; their roles are given with their keys (stage.give_keys)."""
    return [f"{role}@{body}" for body in BODIES for role in ROLES]


def give_accounts(house: House, secret: str) -> None:
    """Makes them, where they are not there yet."""
    for name in names():
        house.desk.accounts.create(name, PASSWORD, secret, SYSTEM.account, clock())


def told(url: str, folder: Path) -> str:
    """How to sign in."""
    accounts = "\n".join(
        "            " + ", ".join(f"{role}@{body}" for role in ROLES) + ("," if body != BODIES[-1] else "")
        for body in BODIES
    )
    return (
        f"Console: {url}/console\n"
        f"  account   one of\n{accounts}\n"
        f"  password  [bold]{PASSWORD}[/]   (all of the line, with its colon and spaces)\n"
        f"  code      printed by   {program()} demo-code --data {folder}"
    )


def program() -> str:
    """This program as it was called: it need not be on the PATH."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "broadcaster" else "broadcaster"


def demo_code(data: Annotated[Path, typer.Option(help="The data folder of the demo.")]) -> None:
    """Print the second factor of the demo's accounts at this moment."""
    file = data / "demo.json"
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DemoError(f"cannot read {file}: {error.strerror}") from None
    typer.echo(codes.code(stored["secret"], clock()))
