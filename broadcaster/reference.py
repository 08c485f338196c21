"""Reference data that ships with the package: area register, categories, issuing bodies, samples.

Where each fact is from, and how far it can be trusted, is in data/hanoi/SOURCES.md.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.areas import Area, AreaTree, Succession
from schemas.content import Certainty, Content, Kind, RiskLevel, Severity, Text, Urgency

_DATA = files("broadcaster") / "data" / "hanoi"
_EDITIONS = ("2020-03-01", "2025-01-01", "2025-07-01")
_CITY = "ubnd-tp"
_EVERY_FIELD = ("*",)
LIFETIMES = 4
LONGEST_LIFE = timedelta(days=30)


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]
OptionalDate = Annotated[date | None, BeforeValidator(_blank_is_none)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Category(_Record):
    """A field of information ("lĩnh vực"), with its CAP category and its usual lifetime."""

    code: str
    name: str
    group: str
    natural_hazard: bool
    """Graded by the risk levels of Decision 18/2021/QĐ-TTg art. 4(3)."""
    cap_category: str
    lifetime: timedelta
    """How long an alert stands that says no end."""

    @property
    def longest(self) -> timedelta:
        """How long one may stand: four usual lifetimes, 30 days at most; what lasts is looked at again."""
        return min(LIFETIMES * self.lifetime, LONGEST_LIFE)


class RiskLevelRecord(_Record):
    """A level of natural-disaster risk, Decision 18/2021/QĐ-TTg art. 4(3); the hex is a suggestion."""

    level: RiskLevel
    name: str
    colour: str
    colour_hex: Annotated[str, Field(pattern="^#[0-9A-F]{6}$")]
    meaning: str


class IssuerRecord(_Record):
    """A body that issues. `changes_on` is the day its work passes to `successor_id` (or ends)."""

    issuer_id: str
    name: str
    kind: str
    level: int
    area: str
    fields: tuple[str, ...]
    """Category codes; "*" stands for every one."""
    parent: str | None
    successor_id: OptionalText = None
    changes_on: OptionalDate = None
    since: date | None = None
    """The day it came to be; None for a body older than this register."""
    source: str


_GRADES = {
    "emergency": (Severity.EXTREME, Urgency.IMMEDIATE, Certainty.OBSERVED),
    "warning": (Severity.SEVERE, Urgency.EXPECTED, Certainty.LIKELY),
    "advisory": (Severity.MODERATE, Urgency.EXPECTED, Certainty.POSSIBLE),
    "info": (Severity.MINOR, Urgency.FUTURE, Certainty.LIKELY),
}


class SampleAlert(_Record):
    """A fictional alert, addressed in edition 2020-03-01 and in 2025-07-01."""

    id: str
    issuer_id: str
    kind: Kind
    category: str
    severity: Literal["emergency", "warning", "advisory", "info"]
    risk_level: Annotated[RiskLevel | None, Field(alias="disaster_risk_level")]
    title: str
    body: str
    areas: Annotated[tuple[str, ...], Field(alias="area_codes")]
    areas_2025_07: Annotated[tuple[str, ...], Field(alias="area_codes_2025_07")]
    edition: Annotated[
        Literal["2020-03-01"],
        Field(alias="area_edition"),
        # The samples name the register by the month they were written in.
        BeforeValidator(lambda value: "2020-03-01" if value == "2024-07" else value),
    ]

    def content(self, edition: str = _EDITIONS[0]) -> Content:
        """What the sample says, in CAP's terms, addressed by the codes of an edition that it has."""
        areas = {self.edition: self.areas, _EDITIONS[-1]: self.areas_2025_07}
        if edition not in areas:
            raise LookupError(f"edition: {self.id} has no areas of {edition}, only of {', '.join(areas)}")
        severity, urgency, certainty = _GRADES[self.severity]
        return Content(
            kind=self.kind,
            category=self.category,
            severity=severity,
            urgency=urgency,
            certainty=certainty,
            risk_level=self.risk_level,
            texts={"vi": Text(headline=self.title, description=self.body)},
            areas=areas[edition],
        )


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader((_DATA / name).read_text(encoding="utf-8").splitlines(), strict=True)


def editions() -> tuple[str, ...]:
    """The editions of the area register, oldest first, each named by the day it took effect."""
    return _EDITIONS


def _known(edition: str) -> str:
    if edition not in _EDITIONS:
        raise LookupError(f"edition: {edition} is not in the package, only {', '.join(_EDITIONS)}")
    return edition


@cache
def areas(edition: str) -> tuple[Area, ...]:
    """Every area of an edition. Raises LookupError."""
    rows = _rows(f"areas_{_known(edition)}.csv")
    return tuple(Area.model_validate({name: value or None for name, value in row.items()}) for row in rows)


@cache
def tree(edition: str) -> AreaTree:
    """The same areas as a tree. Raises LookupError."""
    return AreaTree(edition, areas(edition))


@cache
def successions(edition: str) -> tuple[Succession, ...]:
    """What became of the areas when this edition took effect; a code not named stayed as it was."""
    if _known(edition) == _EDITIONS[0]:
        return ()
    rows = _rows(f"succession_{edition}.csv")
    # The older table has no column for coverage, only whole or part.
    partial = {"0": "whole", "1": "part"}
    return tuple(
        Succession.model_validate(
            {
                "old_code": row["old_code"],
                "new_code": row["new_code"],
                "coverage": row.get("coverage") or partial[row["partial"]],
            }
        )
        for row in rows
    )


@cache
def categories() -> Mapping[str, Category]:
    """Every category by its code."""
    found = (
        Category(
            code=row["code"],
            name=row["name"],
            group=row["group"],
            natural_hazard=row["severity_scale"] == "disaster_1_5",
            cap_category=row["cap_category"],
            lifetime=timedelta(hours=int(row["default_ttl_hours"])),
        )
        for row in _rows("categories.csv")
    )
    return MappingProxyType({category.code: category for category in found})


@cache
def risk_levels() -> tuple[RiskLevelRecord, ...]:
    """The five levels, lowest first."""
    names = {"colour_vi": "colour", "colour_suggested_hex": "colour_hex"}
    return tuple(
        RiskLevelRecord.model_validate({names.get(name, name): value for name, value in row.items()})
        for row in _rows("risk_levels.csv")
    )


@cache
def issuers() -> tuple[IssuerRecord, ...]:
    """Every issuing body of 2024 and those of 2025-03-01 that took over the work of several."""
    rows = list(_rows("issuers.csv"))
    return tuple(_issuer(row, [r for r in rows if r["successor_id"] == row["issuer_id"]]) for row in rows)


def _issuer(row: dict[str, str], predecessors: list[dict[str, str]]) -> IssuerRecord:
    fields, since = _codes(row), None
    if row["issuer_id"] == _CITY:
        fields = _EVERY_FIELD
    elif not fields:
        # A body without fields of its own is a new one: it holds what its predecessors held.
        fields = tuple(dict.fromkeys(code for before in predecessors for code in _codes(before)))
        since = max(before["changes_on"] for before in predecessors)
    return IssuerRecord.model_validate(
        row | {"area": row["area_code"], "fields": fields, "parent": _parent(row), "since": since}
    )


def _codes(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(code for code in row["categories"].split(";") if code)


def _parent(row: dict[str, str]) -> str | None:
    if row["issuer_id"] == _CITY:
        return None
    above = tree(_EDITIONS[0])[row["area_code"]].parent_code
    return f"ubnd-{above}" if row["kind"] == "ubnd_xa" else _CITY


@cache
def sample_alerts() -> tuple[SampleAlert, ...]:
    """The fictional alerts that demonstrations and tests use."""
    lines = (_DATA / "sample_alerts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(SampleAlert.model_validate_json(line) for line in lines)
