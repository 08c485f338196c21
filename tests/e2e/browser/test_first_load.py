"""What a browser that has never been here loads to compose: all of the city's areas, in under 100 kB."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.site import Site

pytestmark = [pytest.mark.slow]

BUDGET = 100_000
"""Bytes over the wire, headers included."""


def test_compose_with_the_whole_tree_is_small(opened: Callable[..., Page], hanoi: Site) -> None:
    ha = opened("ha")
    loaded: dict[str, float] = {}
    names: dict[str, str] = {}
    wire = ha.context.new_cdp_session(ha)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def asked(said: dict[str, Any]) -> None:
        names[said["requestId"]] = said["request"]["url"].removeprefix(hanoi.url)

    def came(said: dict[str, Any]) -> None:
        loaded[names[said["requestId"]]] = said["encodedDataLength"]

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.loadingFinished", came)
    ha.goto("/console/compose")
    tree = hanoi.house.tree()
    expect(ha.locator("input[name=areas]")).to_have_count(len(tree))
    # The script has read what it searches.
    ha.get_by_label("Tìm", exact=False).first.fill("phuc xa")
    expect(ha.get_by_label("Phường Phúc Xá")).to_be_visible()
    assert any(name.endswith(".json") for name in loaded)
    assert any(name.endswith("picker.js") for name in loaded)
    assert sum(loaded.values()) < BUDGET, loaded
