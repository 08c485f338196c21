"""`broadcaster cadence`: who stands where, reports, one body explained, other terms tried out."""

import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from broadcaster.duty import answers
from broadcaster.duty.sheets import Format
from broadcaster.log import UnknownStreamError
from broadcaster.proof import checkpoint
from broadcaster.proof.as_of import position_at
from broadcaster.proof.chain import instant
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from projections.cadence.body import Dated
from projections.cadence.ledger import BEGINNING
from projections.cadence.report import explain as explained
from projections.cadence.report import report as reported
from projections.cadence.rule import State, midnight
from projections.cadence.view import BodyCadence
from schemas.cadence import CadencePolicy
from schemas.content import Instant
from schemas.events import Actor
from schemas.local_time import HANOI

cadence_app = typer.Typer(
    help="The duty to issue at least one item every 3 days.", invoke_without_command=True
)
DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="An instant or a day of Hanoi's; now without it.")
]
Stood = Annotated[
    bool, typer.Option("--as-it-stood", help="Only what was recorded by then, not what we know of it now.")
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Level = Annotated[list[int] | None, typer.Option("--level", min=1, max=4, help="Repeat for more.")]
To = Annotated[str | None, typer.Option("--to", metavar="T", help="Just before it; now without it.")]


Reason = Annotated[str, typer.Option(help="Why; it is kept for ever.")]
By = Annotated[str, typer.Option(help="Who does it, for the log.")]
OPERATOR = "system:operator"


class _Dated(BaseModel):
    """One entry of a file of policies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effective_at: Instant
    policy: CadencePolicy


_POLICIES: TypeAdapter[CadencePolicy | list[_Dated]] = TypeAdapter(CadencePolicy | list[_Dated])


@cadence_app.callback()
def cadence(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    as_it_stood: Stood = False,
    level: Level = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, one line a body.")
    ] = False,
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
def report(
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="T", help="An instant or a day of Hanoi's.")
    ] = None,
    until: To = None,
    form: Annotated[Format, typer.Option("--format")] = Format.JSON,
    out: Annotated[Path | None, typer.Option(help="The file; standard output without it.")] = None,
    level: Level = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="By what the log held up to there, as printed on a report.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Check this report against the log instead.", exists=True)
    ] = None,
    public_key: Annotated[Path | None, typer.Option(help="The key it is signed with (PEM).")] = None,
    data: DataOption = None,
) -> None:
    """Write a period's report, sealed, or check one: exit code 1 names what does not fit."""
    if check is None and since is None:
        raise SettingsError("--from: say where the period begins")
    with House.open(Settings.from_env(data=data)) as house:
        catch_up(house)
        if check is not None:
            _check(house, check, public_key)
            return
        start, end = period(since or "", until)
        file = house.reports.make(start, end, form, at=clock(), levels=level or (), position=position)
    if out is None:
        sys.stdout.buffer.write(file)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(file)


def _check(house: House, path: Path, public_key: Path | None) -> None:
    key = None if public_key is None else checkpoint.load_public(public_key)
    finding = house.reports.check(path.read_bytes(), key)
    if finding.fault:
        typer.echo(f"bad: {finding.fault}", err=True)
        raise typer.Exit(1)
    signature = "signature good" if finding.signed else "no signature checked"
    typer.echo(f"ok: what the log held at position {finding.seal.position}; {signature}")


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


@cadence_app.command()
def simulate(
    policy: Annotated[Path, typer.Option(help="A policy, or a list of dated ones (JSON).", exists=True)],
    *,
    since: Annotated[str | None, typer.Option("--from", metavar="T")] = None,
    until: To = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, one line a body.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Say who would have been overdue under other terms, over what really happened; 30 days by default."""
    terms = _terms(policy)
    start = instant(clock() - timedelta(days=30)) if since is None else since
    first, last = period(start, until)
    with House.open(Settings.from_env(data=data)) as house:
        catch_up(house)
        with house.pool.connection() as conn:
            real = reported(house.cadence, conn, first, last)
            tried = reported(house.cadence, conn, first, last, policies=terms)
    before = {body.issuer_id: answers.figures(body.figures) for body in real.bodies}
    for body in tried.bodies:
        found: dict[str, Any] = {
            "body": body.issuer_id,
            "name": body.name,
            "level": body.level,
            "simulated": answers.figures(body.figures),
            "actual": before.get(body.issuer_id),
            "gaps": [answers.breach(gap) for gap in body.gaps],
        }
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
        elif body.gaps:
            was = "-" if found["actual"] is None else found["actual"]["overdue_seconds"]
            now = found["simulated"]["overdue_seconds"]
            typer.echo(f"{body.issuer_id:<16} level {body.level}  overdue {now} s (really {was} s)")


@cadence_app.command("policy")
def set_policy(
    file: Annotated[Path, typer.Argument(help="The policy (JSON).", exists=True)],
    *,
    reason: Reason,
    effective_at: Annotated[str | None, typer.Option(metavar="T", help="Now without it.")] = None,
    by: By = OPERATOR,
    data: DataOption = None,
) -> None:
    """Set the terms of the duty, from now or later on."""
    terms = _terms(file)
    if len(terms) != 1 or terms[0].since != BEGINNING:
        raise SettingsError("FILE: one policy, not a list of dated ones")
    since = None if effective_at is None else moment("--effective-at", effective_at)
    with House.open(Settings.from_env(data=data)) as house:
        made = house.cadence_commands.set_policy(
            Actor(account=by),
            terms[0].policy,
            effective_at=since,
            reason=reason,
            at=clock(),
            operator=True,
        )
    typer.echo(f"from {instant(made.effective_at)}: {made.policy.model_dump_json()}")


@cadence_app.command()
def exempt(
    body: Annotated[str, typer.Argument(help="For example ubnd-00001.")],
    *,
    reason: Reason,
    since: Annotated[str | None, typer.Option("--from", metavar="T", help="Now without it.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="T", help="Until ended without it.")] = None,
    by: By = OPERATOR,
    data: DataOption = None,
) -> None:
    """Let a body off; prints the exemption's id."""
    with House.open(Settings.from_env(data=data)) as house:
        made = house.cadence_commands.exempt(
            Actor(account=by),
            body,
            reason=reason,
            starts_at=None if since is None else moment("--from", since),
            ends_at=None if until is None else moment("--to", until),
            at=clock(),
            operator=True,
        )
    typer.echo(str(made.exemption_id))


@cadence_app.command("end-exemption")
def end_exemption(body: str, exemption_id: UUID, *, by: By = OPERATOR, data: DataOption = None) -> None:
    """End an exemption now: the duty starts afresh."""
    with House.open(Settings.from_env(data=data)) as house:
        commands = house.cadence_commands
        commands.end_exemption(Actor(account=by), body, exemption_id, at=clock(), operator=True)
    typer.echo(f"{body} owes again")


def catch_up(house: House) -> None:
    """Brings the view to the log's end, as a follower does. Raises SettingsError where it is stopped."""
    follower = house.follower(house.projection("cadence"))
    follower.catch_up()
    standing = follower.standing()
    if standing.stopped_at is not None:
        raise SettingsError(f"cadence is stopped at position {standing.stopped_at}; see `status`")


def period(since: str, until: str | None) -> tuple[datetime, datetime]:
    """From and to. Raises SettingsError where that is no past period."""
    now = clock()
    start, end = moment("--from", since), now if until is None else moment("--to", until)
    if end > now:
        raise SettingsError("--to: lies in the future, so the answer could still change")
    if start >= end:
        raise SettingsError("--from: is not before --to")
    return start, end


def moment(option: str, text: str) -> datetime:
    """An instant with its offset, or the beginning of a day in Hanoi. Raises SettingsError."""
    try:
        if len(text) == len("2026-07-10"):
            return midnight(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: {text} is neither a day nor an ISO 8601 instant") from None
    if at.tzinfo is None:
        raise SettingsError(f"{option}: say the offset, for example +07:00 or Z")
    return at


def _terms(path: Path) -> list[Dated]:
    try:
        given = _POLICIES.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"--policy: {place}: {first['msg']}") from None
    if isinstance(given, CadencePolicy):
        return [Dated(BEGINNING, given)]
    return [Dated(each.effective_at, each.policy) for each in given]


def _line(body: BodyCadence) -> str:
    def clock_of(at: datetime | None) -> str:
        return "-" if at is None else f"{at.astimezone(HANOI):%Y-%m-%d %H:%M}"

    return (
        f"{body.issuer_id:<16} {body.level} {body.state.value:<9} last {clock_of(body.last_item_at):<17}"
        f" due {clock_of(body.due_at):<17} {body.name}"
    )


def _pairs(told: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in told.items() if value is not None)
