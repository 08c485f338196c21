"""A pasted list of names to areas."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import reference
from broadcaster.drafting.area_names import MOST, AreaNames
from schemas.areas import Area, unaccented

TREE = reference.tree("2020-03-01")
NAMES = AreaNames(TREE)


def codes(text: str) -> list[list[str]]:
    return [[area.code for area in one.areas] for one in NAMES.match(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Phúc Xá", [["00001"]]),
        ("phuc xa", [["00001"]]),
        ("PHƯỜNG PHÚC XÁ", [["00001"]]),
        ("P. Phúc Xá, Q.Ba Đình", [["00001"]]),
        ("00001", [["00001"]]),
        ("1. Phúc Xá\n2) Trúc Bạch\r\n- Xã Đại Áng", [["00001"], ["00004"], ["00679"]]),
        ("Phúc Xá, Trúc Bạch; quận Ba Đình", [["00001"], ["00004"], ["001"]]),
        ("Phúc Xá, Ba Đình, Hà Nội, Trúc Bạch", [["00001"], ["00004"]]),
        ("van mieu nothing", [[]]),
        ("Phuc Xa Ba Dinh", [[]]),
        (" ,\n;", []),
    ],
)
def test_names_are_found_however_they_are_written(text: str, found: list[list[str]]) -> None:
    assert codes(text) == found


def test_a_repeated_name_is_ambiguous_until_its_district_is_said() -> None:
    (several,) = NAMES.match("Phường Minh Khai")
    assert len(several.areas) == 2
    parents = [TREE[area.parent_code or ""].name for area in several.areas]
    for area, parent in zip(several.areas, parents, strict=True):
        assert codes(f"Phường Minh Khai, {parent}") == [[area.code]]
        assert codes(f"minh khai, {unaccented(parent)}, ha noi") == [[area.code]]


@given(area=st.sampled_from(list(TREE)), plain=st.booleans())
def test_every_area_is_found_by_its_name_with_those_above_it(area: Area, plain: bool) -> None:
    text = ", ".join([area.name, *(TREE[code].name for code in TREE.ancestors(area.code))])
    assert codes(unaccented(text) if plain else text) == [[area.code]]


@given(text=st.text(alphabet=st.sampled_from("Pphúc xá,;\n.-đ1 0"), max_size=60))
def test_nothing_written_is_dropped(text: str) -> None:
    written = re.split("[,;\n]", text)
    assert sum(one.text.count(",") + 1 for one in NAMES.match(text)) <= len(written)
    said = "".join(one.text for one in NAMES.match(text))
    assert "phúc" in said or "phúc" not in text


def test_a_list_has_an_end() -> None:
    with pytest.raises(ValueError, match="at most 2000 names"):
        NAMES.match("Phúc Xá\n" * (MOST + 1))
