"""`broadcaster cadence report`: a period's report, sealed, or one checked against the log."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli.cadence_common import DataOption, Level, To, catch_up, period
from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.duty.sheets import Format
from broadcaster.proof import checkpoint
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError


def report(
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="T", help="An instant or a day of Hanoi's.")
    ] = None,
    until: To = None,
    form: Annotated[Format, typer.Option("--format", help="Of the report.")] = Format.JSON,
    out: Annotated[Path | None, typer.Option(help="The file; standard output without it.")] = None,
    level: Level = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="By what the log held up to there, as printed on a report.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Check this report against the log instead.", exists=True)
    ] = None,
    public_key: Annotated[Path | None, typer.Option(help="The key it is signed with (PEM).")] = None,
    by: ByOption = OPERATOR,
    data: DataOption = None,
) -> None:
    """Write a period's report, sealed, or check one: exit code 1 names what does not fit."""
    if check is None and since is None:
        raise SettingsError("--from: say where the period begins")
    asking = operator(by)
    with House.open(Settings.from_env(data=data)) as house:
        catch_up(house)
        if check is not None:
            _check(house, check, public_key)
            return
        start, end = period(since or "", until)
        file = house.reports.hand_out(
            start, end, form, by=asking, at=clock(), levels=level or (), position=position
        )
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
