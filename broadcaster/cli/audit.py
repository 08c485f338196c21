"""`broadcaster checkpoint`, `evidence` and `as-of`, and what `log verify` does with checkpoints."""

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.proof import checkpoint
from broadcaster.proof.as_of import Standing, as_of, position_at, recorded
from broadcaster.proof.chain import instant
from broadcaster.proof.handing_out import Seals, hand_out
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]

checkpoint_app = typer.Typer(help="Signed checkpoints of the event log.", no_args_is_help=True)


def install(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(checkpoint_app, name="checkpoint")
    app.command("evidence")(export_evidence)
    app.command("as-of")(show_as_of)


@checkpoint_app.command("key")
def make_key(data: DataOption = None) -> None:
    """Make the signing key where there is none, and print its public half: keep that elsewhere."""
    path = Settings.from_env(data=data).checkpoint_key_path
    key = checkpoint.make_key(path)
    typer.echo(f"the private key is in {path}", err=True)
    typer.echo(checkpoint.public_pem(key), nl=False)


@checkpoint_app.command("now")
def sign_now(data: DataOption = None) -> None:
    """Sign one checkpoint at once, and print it."""
    settings = Settings.from_env(data=data)
    with House.open(settings) as house:
        signed = _seals(house).now(house.log, clock())
    if signed is None:
        raise SettingsError(f"there is no key in {settings.checkpoint_key_path}; see `checkpoint key`")
    typer.echo(signed.checkpoint.model_dump_json())


def check_checkpoints(house: House, file: Path | None, public_key: Path | None) -> None:
    """Compares the log with a file of checkpoints; exit code 1 names the first that does not fit."""
    if file is None and public_key is None:
        return
    if file is None or public_key is None:
        raise SettingsError("--checkpoints and --public-key go together")
    finding = checkpoint.check(house.log, checkpoint.read(file), checkpoint.load_public(public_key))
    if finding.fault:
        typer.echo(f"bad: {finding.fault}", err=True)
        raise typer.Exit(1)
    torn = f"; {finding.unreadable} unreadable lines passed over" if finding.unreadable else ""
    typer.echo(f"ok: {finding.fitting} checkpoints fit, the last at position {finding.last}{torn}")


def export_evidence(
    alert_id: Annotated[UUID, typer.Argument(help="The alert's id, as its address ends.")],
    out: Annotated[Path, typer.Option(help="The bundle to write, a .zip.", dir_okay=False)],
    whole: Annotated[
        bool, typer.Option("--whole", help="With every event since: proof by itself.")
    ] = False,
    by: ByOption = OPERATOR,
    data: DataOption = None,
) -> None:
    """Write a bundle of what the log holds of one alert, with the script that checks it."""
    if out.exists():
        raise SettingsError(f"{out} exists; a bundle is never written over another")
    asking = operator(by)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    with House.open(Settings.from_env(data=data)) as house:
        try:
            made = hand_out(house.log, _seals(house), alert_id, draft, by=asking, at=clock(), whole=whole)
            draft.rename(out)
        finally:
            draft.unlink(missing_ok=True)
    if not made.is_signed:
        typer.echo("no checkpoint is signed yet: the bundle proves nothing without one", err=True)
    typer.echo(
        f"{out}: up to position {made.upto}, sha256 {made.sha256}; the export is event {made.position}"
    )


def show_as_of(
    at: Annotated[
        str, typer.Argument(metavar="INSTANT", help="With its offset: 2026-07-10T09:00:00+07:00")
    ],
    alert: Annotated[UUID | None, typer.Option(help="This alert, in whatever state.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Show what stood at an instant: the live alerts, or one alert."""
    when = _instant(at)
    with House.open(Settings.from_env(data=data)) as house:
        stood = as_of(recorded(house.log), when, alert)
        position, chain = position_at(house.log, when)
    if as_json:
        alerts = [asdict(each) for each in stood.alerts]
        found = {"at": instant(when), "position": position, "chain": chain, "alerts": alerts}
        typer.echo(json.dumps(found, ensure_ascii=False, default=_plain))
        return
    typer.echo(f"at {instant(when)}: position {position}, chain {chain}; {len(stood.alerts)} alerts")
    for each in stood.alerts:
        typer.echo("\n".join(_lines(each)))


def _lines(one: Standing) -> list[str]:
    hands = one.hands
    span = (
        f"{one.effective_at and instant(one.effective_at)} - {one.expires_at and instant(one.expires_at)}"
    )
    audiences = ", ".join(f"{count} by {channel}" for channel, count in sorted(one.audiences.items()))
    return [
        f"{one.alert_id} version {one.version}: {one.life}{' (overdue)' if one.overdue else ''}",
        f"  {one.headline}",
        f"  issuer {one.issuer_id}; areas {', '.join(one.areas)}; {span}",
        f"  drafted {hands.drafted_by}; revised {', '.join(hands.revised_by) or '-'}",
        f"  submitted {hands.submitted_by or '-'}; approved {hands.approved_by or '-'}",
        f"  issued {hands.issued_by or '-'}; ended {one.ended_by or '-'}",
        f"  on {f'delegation {hands.delegation_id}' if hands.delegation_id else 'its own rights'}",
        f"  audiences: {audiences or '-'}",
    ]


def _instant(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"INSTANT: {text} is not an ISO 8601 instant") from None
    if when.tzinfo is None:
        raise SettingsError("INSTANT: say its offset, for example +07:00 or Z")
    if when > clock():
        raise SettingsError("INSTANT: lies in the future, so the answer could still change")
    return when


def _plain(value: object) -> str:
    return instant(value) if isinstance(value, datetime) else str(value)


def _seals(house: House) -> Seals:
    settings = house.settings
    return Seals(settings.sender_domain, settings.checkpoint_key_path, settings.checkpoints_path)
