"""Colours that can be read, pages that are small, and nothing from elsewhere."""

import gzip
import re
from importlib.resources import files

import pytest

from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import Client, Town

STATIC = files("broadcaster.web") / "static"
TOKENS = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})", (STATIC / "site.css").read_text()))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("level", range(1, 6))
def test_a_risk_level_is_read_and_told_from_paper(level: int) -> None:
    fill, ink, line = (TOKENS[f"l{level}{part}"] for part in ("", "-ink", "-line"))
    assert contrast(fill, ink) >= 4.5
    assert contrast(line, TOKENS["paper"]) >= 3


@pytest.mark.parametrize("ink", ["ink", "muted", "brand", "danger", "ok"])
@pytest.mark.parametrize("ground", ["paper", "ground"])
def test_text_is_read_on_its_ground(ink: str, ground: str) -> None:
    assert contrast(TOKENS[ink], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(
    "pair",
    re.findall(
        r"background: (#[0-9a-f]{3,6}); color: (#[0-9a-f]{3,6})", (STATIC / "console.css").read_text()
    ),
)
def test_pairs_of_the_console_are_read(pair: tuple[str, str]) -> None:
    assert contrast(*pair) >= 4.5


def test_compose_loads_little_and_only_our_own(town: Town) -> None:
    page = Browser(town).sign_in("lan").go("/console/compose").answer
    policy = page.headers["content-security-policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    for forbidden in (" style=", "<style", "onclick", "http://", "https://", "<script>"):
        assert forbidden not in page.text, forbidden
    total = len(gzip.compress(page.content))
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    base = next(iter(named)).rpartition("/")[0]
    for path in named | {
        f"{base}/{name}" for name in ("draft.js", "lengths.js", "picker.js", "fragments.js")
    }:
        file = Client(town.app).get(path, Accept_Encoding="gzip")
        assert file.status_code == 200
        assert file.headers["content-encoding"] == "gzip"
        assert "immutable" in file.headers["cache-control"]
        total += int(file.headers["content-length"])
    assert total < 100_000
