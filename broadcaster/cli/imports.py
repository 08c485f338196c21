"""`broadcaster subscribers import FILE`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from broadcaster.registry.csv_import import ImportBusyError, ImportEditionError, ImportResult, import_csv
from broadcaster.registry.lines import SubscriberFileError
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings

COLUMNS = "token,token_kind,platform,phone,home,areas,locale,opt_outs"


def import_subscribers(
    file: Annotated[
        Path, typer.Argument(help=f"CSV with the header {COLUMNS}.", exists=True, dir_okay=False)
    ],
    data: Annotated[Path | None, typer.Option("--data", help="The data folder.")] = None,
) -> None:
    """Take a file of subscribers into the registry; the same file again goes on where it stopped."""
    with House.open(Settings.from_env(data=data)) as house:
        house.migrate()
        house.furnish()
        try:
            result = _with_bar(house, file)
        except (SubscriberFileError, ImportBusyError, ImportEditionError) as error:
            typer.echo(f"broadcaster: {error}", err=True)
            raise typer.Exit(2) from None
        house.setup.subscribers_imported(
            SYSTEM, result.file_sha256, result.accepted, result.rejected, at=clock()
        )
    typer.echo(f"{result.accepted:,} accepted, {result.rejected:,} rejected")
    if result.rejected:
        typer.echo(f"the rejected lines, with their numbers and reasons: {result.rejects_file}")


def _with_bar(house: House, file: Path) -> ImportResult:
    columns = (
        TextColumn("{task.fields[accepted]:,} accepted, {task.fields[rejected]:,} rejected"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("import", total=None, accepted=0, rejected=0)

        def progress(done: int, total: int, accepted: int, rejected: int) -> None:
            bar.update(task, completed=done, total=total, accepted=accepted, rejected=rejected)

        return import_csv(file, house.pool, house.tree(), at=clock(), progress=progress)
