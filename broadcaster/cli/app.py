"""The command line. Bad input ends with one line on standard error and exit code 2."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from broadcaster import roles
from broadcaster.cli import accounts, restored
from broadcaster.cli import audit as cli_audit
from broadcaster.cli.areas import areas_app
from broadcaster.cli.audience import audience_app
from broadcaster.cli.bodies import bodies_app
from broadcaster.cli.cadence import cadence_app
from broadcaster.cli.cap import cap_app
from broadcaster.cli.dead_letters import dead_letters_app
from broadcaster.cli.imports import import_subscribers
from broadcaster.cli.keys import keys_app
from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.cli.push import push_app
from broadcaster.cli.screen_ops import screens_app
from broadcaster.cli.screens import screen_app
from broadcaster.demo.command import demo
from broadcaster.demo.drive import DemoError
from broadcaster.demo.staff import demo_code
from broadcaster.engines.embedded import EngineError
from broadcaster.keys import files as key_files
from broadcaster.process import logs
from broadcaster.process.memory import BULK, settle
from broadcaster.proof import chain, exports
from broadcaster.proof.exports import Export
from broadcaster.roles import Role
from broadcaster.rules import RefusedError
from broadcaster.runtime import House, clock
from broadcaster.service import Service
from broadcaster.settings import Settings, SettingsError
from projections.follower import RebuildError
from schemas.content import Lane

app = typer.Typer(
    help="The alert broadcast system of a city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
log_app = typer.Typer(help="Check the event log, or print it for others to check.", no_args_is_help=True)
subscribers_app = typer.Typer(help="The registry of phones.", no_args_is_help=True)
app.add_typer(areas_app, name="areas")
app.add_typer(audience_app, name="audience")
app.add_typer(bodies_app, name="bodies")
app.add_typer(cap_app, name="cap")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(cadence_app, name="cadence")
app.add_typer(log_app, name="log")
app.add_typer(keys_app, name="keys")
app.add_typer(subscribers_app, name="subscribers")
app.add_typer(push_app, name="push")
app.add_typer(screen_app, name="screen")
app.add_typer(screens_app, name="screens")
app.command()(demo)
app.command("demo-code")(demo_code)
app.command("restored")(restored.command)
accounts.install(app)
subscribers_app.command("import")(import_subscribers)
cli_audit.install(app)

USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for wrong words on the command line."""

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.")]


def settings(data: Path | None = None, **given: Any) -> Settings:
    """The settings of this run."""
    return Settings.from_env(data=data, **given)


@app.command()
def serve(
    data: DataOption = None,
    listen: Annotated[str | None, typer.Option(help="Address and port of the web role.")] = None,
    role: Annotated[Role | None, typer.Option(help="Only this role; all of them without it.")] = None,
    lane: Annotated[list[Lane] | None, typer.Option(help="Only these lanes of a relay or worker.")] = None,
) -> None:
    """Run the house: everything on this machine, or one role of it."""
    chosen = settings(data, listen=listen)
    if role is not None:
        roles.run(role, chosen, lane or tuple(Lane))
        return
    with Service(chosen) as service:
        typer.echo(f"serving at {chosen.url} (data in {chosen.data}); Ctrl-C ends it")
        service.supervisor.run()


@app.command()
def migrate(data: DataOption = None) -> None:
    """Create what the database lacks: tables, area register, issuing bodies. Safe to repeat."""
    chosen = settings(data)
    key_files.check(chosen)
    with House.open(chosen) as house:
        for name, position in house.migrate().items():
            typer.echo(f"{name} was of another shape: made anew up to position {position}")
        house.furnish()
        typer.echo(f"the log holds {house.log.head()} events")


@app.command("make-keys")
def make_keys(data: DataOption = None) -> None:
    """Make the key files that this house lacks. Each is made once: copy them to every other process."""
    chosen = settings(data)
    made = {one.setting for one in key_files.make(chosen)}
    for setting, path in key_files.own(chosen):
        typer.echo(f"{'made' if setting in made else 'kept'} {path}")


@app.command()
def rebuild(
    name: Annotated[str, typer.Argument(help="A projection, as `status` names them.")],
    data: DataOption = None,
) -> None:
    """Fold the log into a projection's view again; the view in use stays whole until the new one is."""
    settle(BULK)
    with House.open(settings(data)) as house:
        position = house.follower(house.projection(name)).rebuild()
        typer.echo(f"{name} is rebuilt up to position {position}")


@app.command()
def resume(
    name: Annotated[str, typer.Argument(help="A projection, as `status` names them.")],
    data: DataOption = None,
) -> None:
    """Let a projection that stopped at a poisoned event try again."""
    with House.open(settings(data)) as house:
        resumed = house.follower(house.projection(name)).resume()
        typer.echo(f"{name} {'goes on' if resumed else 'was not stopped'}")


@app.command()
def status(data: DataOption = None) -> None:
    """Show how far each projection has followed the log."""
    with House.open(settings(data)) as house:
        head = house.log.head()
        for projection in house.projections:
            standing = house.follower(projection).standing()
            state = "follows"
            if standing.stopped_at is not None:
                state = f"STOPPED at {standing.stopped_at}: {standing.error}"
            elif standing.stale:
                state = "WAITS: made by another version of this program; run broadcaster migrate"
            typer.echo(f"{projection.name:<10} {standing.position}/{head} {state}")


@log_app.command("verify")
def log_verify(
    data: DataOption = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Signed checkpoints it must fit.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="The key they are signed with (PEM).")] = None,
) -> None:
    """Walk the hash chain; exit code 1 names the first bad row, or checkpoint that does not fit."""
    with House.open(settings(data)) as house:
        verdict = chain.verify(house.log)
        if not verdict.sound:
            typer.echo(f"bad: position {verdict.bad_position}: {verdict.fault}", err=True)
            raise typer.Exit(1)
        typer.echo(f"ok: {verdict.events} events, chain {verdict.head}")
        cli_audit.check_checkpoints(house, checkpoints, public_key)


@log_app.command("export")
def log_export(by: ByOption = OPERATOR, data: DataOption = None) -> None:
    """Print the log as JSON lines: position, recorded_at, stream, version, topic, payload, chain.

    That it is handed out is an event too, and stands in what is printed.
    """
    asking = operator(by)
    with House.open(settings(data)) as house:
        made = Export("log", "jsonl", upto=house.log.head())
        exports.record(house.log, made, None, by=asking, at=clock())
        for line in chain.export(house.log):
            sys.stdout.write(line + "\n")


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI document of the messages between the relay and the workers."""
    # By name: FastStream is a third of what every other command would wait for.
    made = import_module("broadcaster.asyncapi").document()
    typer.echo(json.dumps(made, ensure_ascii=False, indent=2))


def main() -> None:
    """Runs the command line; what the user can mend is one line and exit code 2."""
    logs.configure()
    try:
        sys.exit(app(prog_name="broadcaster", standalone_mode=False))
    except USAGE as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(str(error), err=True)
            raise SystemExit(2) from None
        fail(usage(error))
    except typer.Abort:
        fail("stopped")
    except (EngineError, SettingsError, DemoError, LookupError, RebuildError, RefusedError) as error:
        fail(str(error))
    except psycopg.errors.InsufficientPrivilege as error:
        fail(f"the database does not let its user do that: {str(error).splitlines()[0]}")
    except psycopg.errors.UndefinedColumn:
        fail("the database of this house is of an older version: run broadcaster migrate")
    except psycopg.errors.UndefinedTable:
        fail("the database of this house is empty: run broadcaster migrate, or name its folder by --data")
    except psycopg.OperationalError as error:
        fail(f"the database does not answer: {str(error).splitlines()[0]}")


def usage(error: Exception) -> str:
    """What was typed wrong, and where it is told how, in one line."""
    context = getattr(error, "ctx", None)
    said = getattr(error, "format_message", error.__str__)()
    wrong = " ".join(said.split()).rstrip(".")
    return f"{wrong}; see {context.command_path} --help" if context else wrong


def fail(text: str) -> None:
    """One line on standard error, exit code 2."""
    typer.echo(f"broadcaster: {text}", err=True)
    raise SystemExit(2)
