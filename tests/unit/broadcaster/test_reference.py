from datetime import date, timedelta

import pytest

from broadcaster import reference
from broadcaster.issuer import Issuer
from broadcaster.reference import IssuerRecord, SampleAlert
from schemas.content import Kind, Lane
from schemas.events import Actor

ISSUERS = {issuer.issuer_id: issuer for issuer in reference.issuers()}


@pytest.mark.parametrize(
    ("edition", "count", "districts"),
    [("2020-03-01", 610, 30), ("2025-01-01", 557, 30), ("2025-07-01", 127, 0)],
)
def test_each_edition_is_one_whole_tree(edition: str, count: int, districts: int) -> None:
    tree = reference.tree(edition)
    assert len(reference.areas(edition)) == len(tree) == count
    assert sum(area.level == 2 for area in tree) == districts
    assert len(tree.leaves(tree.root)) == count - districts - 1
    assert tree.root == "01"


def test_an_edition_that_does_not_ship_is_named() -> None:
    assert reference.editions() == ("2020-03-01", "2025-01-01", "2025-07-01")
    for question in (reference.areas, reference.tree, reference.successions):
        with pytest.raises(LookupError, match="edition: 1999-01-01 is not in the package"):
            question("1999-01-01")


@pytest.mark.parametrize(("before", "after"), [("2020-03-01", "2025-01-01"), ("2025-01-01", "2025-07-01")])
def test_every_succession_leads_from_one_edition_to_the_next(before: str, after: str) -> None:
    old, new = reference.tree(before), reference.tree(after)
    for succession in reference.successions(after):
        assert old.is_leaf(succession.old_code)
        assert new.is_leaf(succession.new_code)


def test_land_without_residents_is_told_apart() -> None:
    assert len(reference.successions("2025-01-01")) == 103
    assert reference.successions("2020-03-01") == ()
    moves = reference.successions("2025-07-01")
    assert (len(moves), sum(not move.populated for move in moves)) == (795, 61)


def test_categories_tell_natural_hazards_and_lifetimes() -> None:
    categories = reference.categories()
    assert len(categories) == 32
    storm, fire = categories["bao"], categories["chay_no"]
    assert (storm.natural_hazard, storm.cap_category, storm.lifetime) == (True, "Met", timedelta(hours=24))
    assert (fire.natural_hazard, fire.cap_category, fire.lifetime) == (False, "Fire", timedelta(hours=6))
    assert [level.level for level in reference.risk_levels()] == [1, 2, 3, 4, 5]


def test_every_body_has_a_place_a_parent_and_fields() -> None:
    tree = reference.tree("2020-03-01")
    assert len(ISSUERS) == len(reference.issuers()) == 644
    for issuer in ISSUERS.values():
        assert issuer.area in tree
        assert issuer.fields
        assert set(issuer.fields) <= {"*", *reference.categories()}
        assert issuer.successor_id is None or issuer.successor_id in ISSUERS
        if issuer.issuer_id == "ubnd-tp":
            assert (issuer.parent, issuer.fields) == (None, ("*",))
        elif issuer.level == 3:
            district = tree[issuer.area].parent_code
            assert issuer.parent == f"ubnd-{district}"
            assert ISSUERS[f"ubnd-{district}"].area == district
        else:
            assert issuer.parent == "ubnd-tp"


def test_a_body_of_2025_holds_what_its_predecessors_held() -> None:
    new = {name: issuer for name, issuer in ISSUERS.items() if issuer.since is not None}
    assert set(new) == {"so-nnmt", "so-dan-toc-ton-giao", "bql-kcnc-kcn"}
    assert {issuer.since for issuer in new.values()} == {date(2025, 3, 1)}
    held = {*ISSUERS["so-tnmt"].fields, *ISSUERS["so-nnptnt"].fields}
    assert set(new["so-nnmt"].fields) == held
    assert len(new["so-nnmt"].fields) == len(held)
    assert ISSUERS["so-tnmt"].changes_on == date(2025, 3, 1)


def body(record: IssuerRecord) -> Issuer:
    facts = record.model_dump(include={"name", "kind", "level", "area", "fields", "parent"})
    return Issuer.fold(None, Issuer.register(Actor(account="test"), record.issuer_id, **facts))


def test_there_are_25_samples() -> None:
    samples = reference.sample_alerts()
    assert len({sample.id for sample in samples}) == len(samples) == 25
    assert {sample.kind for sample in samples} == set(Kind)


@pytest.mark.parametrize("sample", reference.sample_alerts(), ids=lambda sample: sample.id)
def test_each_sample_lies_within_its_issuer(sample: SampleAlert) -> None:
    content = sample.content()
    assert body(ISSUERS[sample.issuer_id]).may(content, reference.tree(sample.edition)) is None
    assert all(code in reference.tree("2025-07-01") for code in sample.content("2025-07-01").areas)
    assert (content.lane is Lane.EMERGENCY) == (sample.severity == "emergency")
    hazard = reference.categories()[sample.category].natural_hazard
    if sample.kind is Kind.ALERT or content.risk_level is not None:
        assert hazard == (content.risk_level is not None)
    with pytest.raises(LookupError, match=f"{sample.id} has no areas of 2025-01-01"):
        sample.content("2025-01-01")
