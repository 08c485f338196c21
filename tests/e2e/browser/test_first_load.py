"""What a browser that has never been here loads to compose: all of the city's areas, in under 100 kB."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.site import Site

pytestmark = [pytest.mark.slow]

BUDGET = 100_000
"""Bytes over the wire, headers included."""


def over_the_wire(
    page: Page, hanoi: Site, path: str, ready: Callable[[], None]
) -> tuple[float, dict[str, float]]:
    """Bytes that a page and all it asks for take without a cache: together, and each."""
    loaded: dict[str, float] = {}
    names: dict[str, str] = {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def asked(said: dict[str, Any]) -> None:
        names[said["requestId"]] = said["request"]["url"].removeprefix(hanoi.url)

    def came(said: dict[str, Any]) -> None:
        # What the page before had asked for ends here too.
        if said["requestId"] in names:
            loaded[names[said["requestId"]]] = said["encodedDataLength"]

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.loadingFinished", came)
    page.goto(path)
    ready()
    wire.detach()
    return sum(loaded.values()), loaded


def test_compose_with_the_whole_tree_is_small(opened: Callable[..., Page], hanoi: Site) -> None:
    ha = opened("ha")
    tree = hanoi.house.tree()

    def ready() -> None:
        expect(ha.locator("input[name=areas]")).to_have_count(len(tree))
        # The script has read what it searches, and drawn the map.
        ha.get_by_label("Tìm", exact=False).first.fill("phuc xa")
        expect(ha.get_by_label("Phường Phúc Xá")).to_be_visible()
        expect(ha.locator("circle[role=option]")).to_have_count(526)

    size, loaded = over_the_wire(ha, hanoi, "/console/compose", ready)
    assert any(name == "/console/areas/2020-03-01.json" for name in loaded)
    assert any("/map/" in name for name in loaded)
    assert any(name.endswith("picker.js") for name in loaded)
    assert size < BUDGET, loaded
