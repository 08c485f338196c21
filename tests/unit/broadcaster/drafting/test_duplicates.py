"""Alerts that say much the same: a measure anyone can follow, and only where people are told twice."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import reference
from broadcaster.drafting.duplicates import ALIKE, Live, near_duplicates, similarity
from schemas.content import Content, Mode, Text
from tests.unit.schemas.examples import CONTENT

TREE = reference.tree("2020-03-01")
CODES = st.lists(st.sampled_from([area.code for area in TREE]), min_size=1, max_size=4, unique=True)
WORDS = st.lists(st.sampled_from(["ngập", "sâu", "tại", "Phúc", "Xá", "đêm", "nay"]), max_size=6).map(
    " ".join
)


def said(headline: str, *areas: str, **changes: Any) -> Content:
    texts = {"vi": Text(headline=headline, description="x")}
    return CONTENT.model_copy(update={"texts": texts, "areas": areas or ("00001",), **changes})


def live(content: Content, issuer: str = "ubnd-00001", edition: str = "2020-03-01") -> Live:
    return Live(UUID(int=5), issuer, content, edition)


def alike(new: Content, other: Live, issuer: str = "ubnd-00001") -> bool:
    return bool(near_duplicates(new, issuer, UUID(int=6), [other], TREE))


@given(one=WORDS, other=WORDS)
def test_the_measure_is_a_share(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one.upper()) == 1
    if similarity(one, other) == 1:
        assert set(one.split()) == set(other.split())


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("Ngập sâu tại Phúc Xá", "ngap sau tai phuc xa!", 1),
        ("Ngập sâu tại Phúc Xá", "Ngập tại Phúc Xá", 4 / 5),
        ("Ngập sâu tại Phúc Xá", "Mất điện tại Phúc Xá", 3 / 7),
        ("Bão số 3", "Bão số 4", 2 / 4),
        ("", "a", 0),
    ],
)
def test_by_example(one: str, other: str, share: float) -> None:
    assert similarity(one, other) == pytest.approx(share)


def test_only_where_somebody_could_be_told_twice() -> None:
    new, headline = said("Ngập sâu tại Phúc Xá"), "Ngập tại Phúc Xá"
    assert alike(new, live(said(headline)))
    assert alike(new, live(said(headline, "00004")))  # same issuer, elsewhere
    assert alike(new, live(said(headline, "001"), "ubnd-001"))  # the district above it
    assert not alike(new, live(said(headline, "00004"), "ubnd-00004"))
    assert not alike(new, live(said(headline, category="mua_lon")))
    assert not alike(new, live(said(headline, mode=Mode.EXERCISE)))
    assert not alike(new, live(said("Mất điện tại Phúc Xá")))
    assert not alike(new, live(said(headline), "ubnd-001", "2025-07-01"))  # a code of another edition
    itself = Live(UUID(int=6), "ubnd-00001", new, "2020-03-01")
    assert near_duplicates(new, "ubnd-00001", UUID(int=6), [itself], TREE) == ()


@given(mine=CODES, theirs=CODES)
def test_overlapping_is_sharing_a_leaf(mine: list[str], theirs: list[str]) -> None:
    def leaves(codes: list[str]) -> set[str]:
        return {leaf.code for code in codes for leaf in TREE.leaves(code)}

    found = alike(said("Ngập sâu", *mine), live(said("Ngập sâu", *theirs), "ubnd-tp"))
    assert found == bool(leaves(mine) & leaves(theirs))


def test_the_likest_comes_first() -> None:
    new = said("Ngập sâu tại Phúc Xá")
    others = [
        Live(UUID(int=number), "ubnd-00001", said(headline), "2020-03-01")
        for number, headline in enumerate(("Ngập tại Phúc Xá", "Ngập sâu tại Phúc Xá"))
    ]
    found = near_duplicates(new, "ubnd-00001", UUID(int=9), others, TREE)
    assert [each.live.alert_id.int for each in found] == [1, 0]
    assert all(each.similarity >= ALIKE for each in found)
