"""What a brand's contract allows, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.brand import BRAND, BrandClass, Rules
from schemas.content import Lane
from schemas.local_time import HANOI

instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(instants, st.sampled_from(BrandClass))
def test_it_opens_within_a_day_and_only_in_its_hours(at: datetime, kind: BrandClass) -> None:
    opens = Rules(kind).opens(at)
    assert at <= opens <= at + timedelta(hours=12)
    if kind is BrandClass.ADVERTISING:
        assert 8 <= opens.astimezone(HANOI).hour < 20
    else:
        assert opens == at


def test_only_bulletins_go_as_advertising() -> None:
    assert [lane for lane in Lane if Rules(BrandClass.ADVERTISING).carries(lane)] == [Lane.BULLETIN]
    assert all(
        Rules(kind).carries(lane) for kind in (BrandClass.GOVERNMENT, BrandClass.CARE) for lane in Lane
    )


@pytest.mark.parametrize("name", ["", "TwelveLetter", "Hà Nội", "a#b", " x", "[x]"])
def test_what_is_no_brand(name: str) -> None:
    assert BRAND.fullmatch(name) is None


@pytest.mark.parametrize(
    "wrong", [{"reserved": -1}, {"opening": "a#", "banned": "#"}, {"opening": "x" * 41}]
)
def test_rules_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rules"):
        Rules(**wrong)  # pyright: ignore[reportArgumentType]
