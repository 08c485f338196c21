"""`broadcaster cadence nothing-to-report`: the answer to a reminder where there is nothing to tell."""

from typing import Annotated

import typer

from broadcaster.cli.cadence_common import DataOption
from broadcaster.commands.template_drafts import Given, TemplateDrafts
from broadcaster.log import Once
from broadcaster.log.recorder import KeyReusedError
from broadcaster.office.shelf import Shelf
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from schemas.events import Actor


def nothing_to_report(
    body: Annotated[str, typer.Argument(help="For example ubnd-00001.")],
    *,
    account: Annotated[str, typer.Option(help="An author of that body, for example lan@phucxa.")],
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="Fills a gap of the template; repeat for more."),
    ] = None,
    submit: Annotated[bool, typer.Option("--submit", help="Put it up for approval, too.")] = False,
    key: Annotated[
        str | None, typer.Option(help="A repeat under the same key makes nothing twice.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Draft the bulletin that nothing is to report. It goes the usual road of review; prints its id.

    From the nearest template for it, to the body's own area.
    """
    values = _values(value or [])
    by, now = Actor(account=account, body=body), clock()
    asked = "\n".join(f"{name}={text}" for name, text in sorted(values.items()))
    try:
        with House.open(Settings.from_env(data=data)) as house:
            drafts = TemplateDrafts(house.office, house.alerts, Shelf(house.log))
            once = _once(account, key, "draft", f"{body}\n{asked}")
            alert = drafts.nothing_to_report(by, body, Given(values), at=now, once=once)
            if submit:
                once = _once(account, key, "submit", str(alert.id))
                alert = house.alerts.submit(by, alert.id, at=now, once=once)
    except KeyReusedError:
        raise SettingsError(f"--key: {key} was used for another request") from None
    typer.echo(f"{alert.stage} {alert.id} of {body}")


def _values(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, sign, _ in pairs:
        if not sign or not name:
            raise SettingsError(f"--value: {name} is not NAME=TEXT")
    values = {name: text for name, _, text in pairs}
    if len(values) < len(pairs):
        raise SettingsError("--value: a name is given twice")
    return values


def _once(account: str, key: str | None, step: str, asked: str) -> Once | None:
    """Each step under a key of its own, so that a run that died between them goes on."""
    return Once(account, f"cli nothing {step} {key}", asked.encode()) if key else None
