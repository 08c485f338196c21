"""`broadcaster cadence policy`, `simulate`, `exempt` and `end-exemption`: the terms, and who is let off."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from broadcaster.cli.cadence_common import DataOption, Lines, To, catch_up, moment, period
from broadcaster.duty import answers
from broadcaster.proof.chain import instant
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from projections.cadence.body import Dated
from projections.cadence.ledger import BEGINNING
from projections.cadence.report import report as reported
from schemas.cadence import CadencePolicy
from schemas.content import Instant
from schemas.events import Actor

Reason = Annotated[str, typer.Option(help="Why; it is kept for ever.")]
By = Annotated[str, typer.Option(help="Who does it, for the log.")]
OPERATOR = "system:operator"


class _Dated(BaseModel):
    """One entry of a file of policies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effective_at: Instant
    policy: CadencePolicy


_POLICIES: TypeAdapter[CadencePolicy | list[_Dated]] = TypeAdapter(CadencePolicy | list[_Dated])


def simulate(
    policy: Annotated[Path, typer.Option(help="A policy, or a list of dated ones (JSON).", exists=True)],
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="T", help="30 days ago without it.")
    ] = None,
    until: To = None,
    as_json: Lines = False,
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


def end_exemption(
    body: Annotated[str, typer.Argument(help="For example ubnd-00001.")],
    exemption_id: Annotated[UUID, typer.Argument(help="As `cadence exempt` printed it.")],
    *,
    by: By = OPERATOR,
    data: DataOption = None,
) -> None:
    """End an exemption now: the duty starts afresh."""
    with House.open(Settings.from_env(data=data)) as house:
        commands = house.cadence_commands
        commands.end_exemption(Actor(account=by), body, exemption_id, at=clock(), operator=True)
    typer.echo(f"{body} owes again")


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
