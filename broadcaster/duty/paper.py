"""A report on paper: one HTML page without scripts, a strip for each body drawn in SVG."""

from datetime import datetime
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from broadcaster.duty.seal import Seal
from schemas.local_time import HANOI

STRIP = 240
"""Width of a strip, in units of the drawing."""
_OPEN, _CLOSE = '<script type="application/json" id="seal">', "</script>"

_pages = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def paper(figures: dict[str, Any], seal: Seal) -> str:
    """The page; Vietnamese."""
    source = files("broadcaster.duty").joinpath("report.html.j2").read_text(encoding="utf-8")
    # "<" cannot end the script element early.
    quoted = seal.model_dump_json().replace("<", "\\u003c")
    return _pages.from_string(source).render(
        report=figures,
        seal=seal,
        sealed=Markup(_OPEN + quoted + _CLOSE),  # noqa: S704 (our own JSON, "<" escaped)
        strip=partial(_strip, figures),
        clock=_clock,
        percent=_percent,
        hours=_hours,
        width=STRIP,
    )


def seal_of_paper(page: str) -> str:
    """The seal that `paper` wrote into the page; empty where there is none."""
    return page.partition(_OPEN)[2].partition(_CLOSE)[0]


def _strip(figures: dict[str, Any], body: dict[str, Any]) -> list[tuple[float, float]]:
    """The times overdue as (left, width) on the strip."""
    start = datetime.fromisoformat(figures["from"])
    length = datetime.fromisoformat(figures["to"]) - start
    return [
        (
            round((datetime.fromisoformat(gap["since"]) - start) / length * STRIP, 2),
            round(max(gap["seconds"] / length.total_seconds() * STRIP, 0.5), 2),
        )
        for gap in body["gaps"]
    ]


def _clock(value: str) -> str:
    return f"{datetime.fromisoformat(value).astimezone(HANOI):%H:%M %d/%m/%Y}"


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{_number(100 * rate)} %"


def _hours(seconds: int) -> str:
    return _number(seconds / 3600)


def _number(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
