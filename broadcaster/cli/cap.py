"""`broadcaster cap import FILE` and `broadcaster cap check FILE`."""

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cap import importer, rules
from broadcaster.cap.importer import Choices, Imported
from broadcaster.cap.model import CapMessage, CapRefusedError
from broadcaster.cap.parse import parse
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from schemas.content import Kind
from schemas.events import Actor

cap_app = typer.Typer(help="CAP 1.2 messages of others.", no_args_is_help=True)

FileArgument = Annotated[
    Path, typer.Argument(help="A CAP 1.2 message.", exists=True, dir_okay=False, readable=True)
]


@cap_app.command("import")
def import_message(
    file: FileArgument,
    *,
    body: Annotated[str, typer.Option(help="The body that takes it, for example ubnd-00001.")],
    account: Annotated[str, typer.Option(help="An author of that body, for example lan@phucxa.")],
    category: Annotated[str | None, typer.Option(help="One of our categories.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="An area's code; repeat for more.")] = None,
    risk_level: Annotated[
        int | None, typer.Option(min=1, max=5, help="Of natural-disaster risk, where the message has none.")
    ] = None,
    kind: Annotated[Kind, typer.Option(help="An alert, or regular information.")] = Kind.ALERT,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder.")] = None,
) -> None:
    """Make a draft of another's alert. It is issued by nobody until staff finish and approve it."""
    message = _read(file)
    choices = Choices(category, tuple(area or ()), risk_level, kind)
    with House.open(Settings.from_env(data=data)) as house:
        now = clock()
        imported = _taken(message, choices, house)
        alert = house.alerts.draft(Actor(account=account, body=body), body, imported.content, at=now)
    for finding in imported.findings:
        typer.echo(f"{finding.rule}: {finding.text}", err=True)
    typer.echo(f"draft {alert.id} of {body}")


@cap_app.command("check")
def check_message(file: FileArgument) -> None:
    """Name what a message gets wrong; exit code 1 where it breaks a MUST of CAP 1.2."""
    found = rules.check(_read(file))
    for finding in found:
        typer.echo(f"{finding.rule}: {finding.text}")
    if any(finding.is_breach for finding in found):
        raise typer.Exit(1)


def _taken(message: CapMessage, choices: Choices, house: House) -> Imported:
    try:
        return importer.to_content(
            message, choices, tree=house.tree(), categories=house.office.categories, at=clock()
        )
    except CapRefusedError as refusal:
        raise _told(refusal) from None


def _read(file: Path) -> CapMessage:
    try:
        return parse(file.read_bytes())
    except CapRefusedError as refusal:
        raise _told(refusal) from None


def _told(refusal: CapRefusedError) -> typer.Exit:
    typer.echo(f"broadcaster: {refusal}", err=True)
    return typer.Exit(2)
