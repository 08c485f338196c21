"""`broadcaster areas boundaries`: outlines of communes for the maps of the console."""

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.areas import Edition
from broadcaster.boundaries.geojson import MOST_BYTES, BoundaryError
from broadcaster.boundaries.outlines import METRES, Outlines
from broadcaster.log import ConflictError
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings

_NAMED = 10
"""Communes without a boundary that are told by name."""


def boundaries(
    file: Annotated[
        Path | None, typer.Argument(help="GeoJSON (RFC 7946): a FeatureCollection of communes.")
    ] = None,
    *,
    edition: Annotated[str, typer.Option(help="The edition that the codes belong to.")],
    code: Annotated[str, typer.Option(help="The property that holds a commune's code.")] = "code",
    remove: Annotated[bool, typer.Option("--remove", help="Take away what is loaded.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder.")] = None,
) -> None:
    """Draw the communes of an edition by their boundaries; what was loaded before is replaced.

    Whom an alert is for never depends on them. A commune that the file lacks keeps its circle.
    """
    if remove == (file is not None):
        typer.echo("broadcaster: give a file to load, or --remove, and not both", err=True)
        raise typer.Exit(2)
    try:
        said = b"" if file is None else _read(file)
        with House.open(Settings.from_env(data=data)) as house:
            asked = house.office.register().edition(edition)
            if file is None:
                house.boundaries.remove(SYSTEM, asked, clock())
                typer.echo(f"edition {edition}: the boundaries are removed, circles are drawn again")
                return
            drawn, new = house.boundaries.load(SYSTEM, asked, said, code, clock())
            _tell(asked, drawn, new=new)
    except (BoundaryError, ConflictError, LookupError) as error:
        typer.echo(f"broadcaster: {error.args[0]}", err=True)
        raise typer.Exit(2) from None


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BoundaryError(f"{file}: more than {MOST_BYTES:,} bytes; simplify it first")
        return file.read_bytes()
    except OSError as error:
        raise BoundaryError(f"{file}: {error.strerror}") from None


def _tell(edition: Edition, drawn: Outlines, *, new: bool) -> None:
    communes = edition.tree.leaves(edition.tree.root)
    without = [area for area in communes if area.code not in drawn.paths]
    size = sum(map(len, drawn.paths.values()))
    done = "loaded" if new else "loaded already"
    typer.echo(
        f"edition {edition.name}: {len(drawn.paths)} of {len(communes)} communes are {done},"
        f" {size:,} bytes, exact to some {max(1.0, drawn.tolerance) * METRES:.0f} m"
    )
    if without:
        names = ", ".join(f"{area.code} {area.name}" for area in without[:_NAMED])
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        typer.echo(f"{len(without)} keep their circles: {names}{more}", err=True)
