"""Areas followed from edition to edition, against the tables they come from."""

from datetime import date

import pytest

from broadcaster import reference
from broadcaster.areas import AreaRegister, Edition
from broadcaster.atlas import Atlas

EDITIONS = reference.editions()
ATLAS = Atlas(
    AreaRegister(
        3,
        tuple(
            Edition(name, date.fromisoformat(name), reference.areas(name), reference.successions(name))
            for name in EDITIONS
        ),
    )
)
OLD, NEW = EDITIONS[1:]


@pytest.mark.parametrize("home", ["00004", "00008", "00025", "00097"])
def test_a_home_hears_old_alerts_of_where_its_people_come_from_and_no_others(home: str) -> None:
    sources = {one.old_code for one in reference.successions(NEW) if one.new_code == home and one.populated}
    codes = set(ATLAS.covering([home], NEW)[OLD])
    old = reference.tree(OLD)
    assert {code for code in codes if old.is_leaf(code)} == sources
    assert codes - sources == {up for code in sources for up in old.ancestors(code)}
    assert ATLAS.covering([home], NEW)[NEW] == sorted(["01", home])


def test_there_and_back_misses_nobody() -> None:
    for leaf in reference.tree(OLD).leaves("01"):
        became = ATLAS.translated({leaf.code}, OLD, NEW)
        assert leaf.code in ATLAS.translated(became, NEW, OLD)


def test_a_reused_code_is_another_place() -> None:
    # 00016 was Ngọc Hà; whoever lived there is never in what its code names elsewhere by chance.
    took = {one.new_code for one in reference.successions(NEW) if one.old_code == "00016" and one.populated}
    assert ATLAS.translated({"00016"}, OLD, NEW) == took


def test_a_place_is_known_only_where_its_land_went_whole() -> None:
    rows: dict[str, list[str]] = {}
    for one in reference.successions(NEW):
        rows.setdefault(one.old_code, []).append(one.new_code)
    for leaf in reference.tree(OLD).leaves("01"):
        parts = rows.get(leaf.code, [leaf.code])
        assert ATLAS.whole(leaf.code, OLD, NEW) == (parts[0] if len(parts) == 1 else None)
    assert ATLAS.whole("001", OLD, NEW) is None
    assert ATLAS.whole("01", EDITIONS[0], NEW) == "01"
