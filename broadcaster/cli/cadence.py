"""`broadcaster cadence`: who stands where, one body explained; reports, terms and answers beside it."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from broadcaster.cli.cadence_common import DataOption, Json, Level, Lines, catch_up, moment
from broadcaster.cli.cadence_nothing import nothing_to_report
from broadcaster.cli.cadence_report import report
from broadcaster.cli.cadence_terms import end_exemption, exempt, set_policy, simulate
from broadcaster.duty import answers
from broadcaster.log import UnknownStreamError
from broadcaster.proof.as_of import position_at
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from projections.cadence.report import explain as explained
from projections.cadence.rule import State
from projections.cadence.view import BodyCadence
from schemas.local_time import HANOI

cadence_app = typer.Typer(
    help="The duty to issue at least one item every 3 days.", invoke_without_command=True
)
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="An instant or a day of Hanoi's; now without it.")
]
Stood = Annotated[
    bool, typer.Option("--as-it-stood", help="Only what was recorded by then, not what we know of it now.")
]


@cadence_app.callback()
def cadence(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    as_it_stood: Stood = False,
    level: Level = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those.")] = False,
    as_json: Lines = False,
    data: DataOption = None,
) -> None:
    """List how the bodies stand, the worst first."""
    if context.invoked_subcommand is not None:
        return
    at = clock() if as_of is None else moment("--as-of", as_of)
    with House.open(Settings.from_env(data=data)) as house:
        catch_up(house)
        known = position_at(house.log, at)[0] if as_it_stood else None
        with house.pool.connection() as conn:
            found = house.cadence.standing(conn, at, level or None, known=known)
    for body in found:
        if not overdue or body.state is State.OVERDUE:
            told = answers.body_line(body)
            typer.echo(json.dumps(told, ensure_ascii=False) if as_json else _line(body))


@cadence_app.command()
def explain(
    body: Annotated[str, typer.Argument(help="For example ubnd-00001.")],
    *,
    as_of: AsOf = None,
    as_it_stood: Stood = False,
    as_json: Json = False,
    data: DataOption = None,
) -> None:
    """Tell all of one body: every item and why it counts or not, every window, every time overdue."""
    at = clock() if as_of is None else moment("--as-of", as_of)
    with House.open(Settings.from_env(data=data)) as house:
        catch_up(house)
        known = position_at(house.log, at)[0] if as_it_stood else None
        with house.pool.connection() as conn:
            story = explained(house.cadence, conn, body, at, known=known)
    if story is None:
        raise UnknownStreamError(f"there is no body {body}")
    told = answers.story(story)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    standing = told["standing"]
    typer.echo(f"{told['body']} {told['name']}, level {told['level']}, at {told['at']}")
    typer.echo("owes nothing then" if standing is None else _pairs(standing))
    for title in ("terms", "exemptions", "items", "breaches", "windows"):
        typer.echo(f"{title}:")
        for each in told[title]:
            typer.echo(f"  {_pairs(each)}")


cadence_app.command("report")(report)
cadence_app.command("simulate")(simulate)
cadence_app.command("policy")(set_policy)
cadence_app.command("exempt")(exempt)
cadence_app.command("end-exemption")(end_exemption)
cadence_app.command("nothing-to-report")(nothing_to_report)


def _line(body: BodyCadence) -> str:
    def clock_of(at: datetime | None) -> str:
        return "-" if at is None else f"{at.astimezone(HANOI):%Y-%m-%d %H:%M}"

    return (
        f"{body.issuer_id:<16} {body.level} {body.state.value:<9} last {clock_of(body.last_item_at):<17}"
        f" due {clock_of(body.due_at):<17} {body.name}"
    )


def _pairs(told: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in told.items() if value is not None)
