"""What a reorganisation says: the areas of the new edition, what became of the old, which bodies change.

It is read from JSON, TOML, or a folder of CSV files, or is one that ships with the package. Bodies that
it does not name follow from the areas (see bodies.py).
"""

import csv
import json
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from broadcaster import reference
from schemas.areas import Area, Succession

EditionName = Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,40}$")]
BodyName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClosedBody(_Said):
    """A body that ends; without successors the body above it answers for it."""

    issuer_id: BodyName
    successors: tuple[BodyName, ...] = ()
    on: date | None = None
    """The day it ends; that of the edition where absent."""


class MovedBody(_Said):
    """A body that goes on, in this area of the new edition."""

    issuer_id: BodyName
    area: str
    name: str | None = None
    parent: BodyName | None = None


class NewBody(_Said):
    """A body that comes to be."""

    issuer_id: BodyName
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: str
    area: str
    fields: tuple[str, ...]
    parent: BodyName | None = None


class Reorganisation(_Said):
    """One edition as it follows another."""

    edition: EditionName
    follows: EditionName | None = None
    """The edition before; the newest one adopted where absent."""
    effective_on: date
    areas: Annotated[tuple[Area, ...], Field(min_length=1)]
    successions: tuple[Succession, ...] = ()
    closed: tuple[ClosedBody, ...] = ()
    moved: tuple[MovedBody, ...] = ()
    new: tuple[NewBody, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        named = [one.issuer_id for one in (*self.closed, *self.moved, *self.new)]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"closed, moved, new: {', '.join(twice)} is named twice")
        codes = [area.code for area in self.areas]
        if len(set(codes)) < len(codes):
            raise ValueError("areas: a code is there twice")
        pairs = [(one.old_code, one.new_code) for one in self.successions]
        if len(set(pairs)) < len(pairs):
            raise ValueError("successions: a pair of codes is there twice")
        return self


class DescriptionError(ValueError):
    """A description that cannot be used; the text names the field and the rule."""


def load(name: str) -> Reorganisation:
    """The packaged one of that name, or the one in a file or folder. Raises DescriptionError."""
    if name in reference.editions()[1:]:
        return packaged(name)
    path = Path(name)
    if not path.exists():
        known = ", ".join(reference.editions()[1:])
        raise DescriptionError(f"{name}: no such file or folder, nor a packaged edition ({known})")
    try:
        said = _folder(path) if path.is_dir() else _file(path)
        return Reorganisation.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise DescriptionError(f"{name}: {where}: {told}" if where else f"{name}: {told}") from None
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise DescriptionError(f"{name}: {error}") from None


def packaged(edition: str) -> Reorganisation:
    """One that ships with the package, with what became of bodies since the edition before."""
    editions = reference.editions()
    before = editions[editions.index(edition) - 1]
    day, since = date.fromisoformat(edition), date.fromisoformat(before)
    records = reference.issuers()
    return Reorganisation(
        edition=edition,
        follows=before,
        effective_on=day,
        areas=reference.areas(edition),
        successions=reference.successions(edition),
        closed=tuple(
            ClosedBody(issuer_id=one.issuer_id, successors=(one.successor_id,), on=one.changes_on)
            for one in records
            if one.successor_id not in {None, one.issuer_id}
            and one.successor_id is not None
            and one.changes_on is not None
            and since < one.changes_on <= day
        ),
        new=tuple(
            NewBody(
                issuer_id=one.issuer_id,
                name=one.name,
                kind=one.kind,
                area=one.area,
                fields=one.fields,
                parent=one.parent,
            )
            for one in records
            if one.since is not None and since < one.since <= day
        ),
    )


def _file(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    said = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    if not isinstance(said, dict):
        raise DescriptionError(f"{path}: an object is expected, with edition, effective_on and areas")
    return said


def _folder(path: Path) -> dict[str, Any]:
    """`edition.toml` with what stands once; areas, successions, closed, moved and new, each a .csv."""
    said = tomllib.loads((path / "edition.toml").read_text(encoding="utf-8"))
    for name in ("areas", "successions", "closed", "moved", "new"):
        table = path / f"{name}.csv"
        if table.exists():
            said[name] = list(_rows(table))
    return said


def _rows(table: Path) -> Iterable[dict[str, Any]]:
    lists = {"successors", "fields"}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True):
        yield {
            name: [one for one in value.split(";") if one] if name in lists else value
            for name, value in row.items()
            if name and value
        }
