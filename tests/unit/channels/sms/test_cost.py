"""What an alert costs by SMS before it goes: the very texts, their parts, the price for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms import render
from channels.sms.brand import Rules
from channels.sms.cost import Tariff, at_most, estimate
from channels.sms.segments import Encoding, count
from schemas.content import MsgType
from tests.unit.channels.sms.carriers import LONG, alert


def test_a_text_without_marks_is_one_message_each() -> None:
    message = alert()
    vi, en = estimate(message.content, message.issuer_name, {"vi": 1000, "en": 10}, Tariff(350))
    assert vi.text == render(message, "vi")
    assert (vi.encoding, vi.parts, vi.costly) == (Encoding.GSM7, 1, ())
    assert (vi.segments, vi.vnd) == (1000, 350_000)
    assert (en.language, en.segments, en.vnd) == ("en", 10, 3_500)


def test_marks_cost_more_and_are_named() -> None:
    message = alert("Nước lên nhanh, đường ngập sâu.")
    (vi,) = estimate(message.content, message.issuer_name, {"vi": 1000}, Tariff(350, accented=True))
    assert (vi.encoding, vi.parts) == (Encoding.UCS2, 2)
    assert vi.costly[:3] == ("Ả", "Á", "ậ")
    assert vi.vnd == 700_000


def test_what_the_carrier_adds_costs_too() -> None:
    message = alert("x" * 90)
    plain, marked = (
        estimate(message.content, message.issuer_name, {"vi": 1}, Tariff(rules=rules))[0]
        for rules in (Rules(), Rules(reserved=38))
    )
    assert plain.text == marked.text
    assert (plain.parts, marked.parts) == (1, 2)


def test_an_update_begins_otherwise() -> None:
    message = alert()
    kinds = [
        estimate(message.content, "UBND", {"vi": 1}, Tariff(), msg_type=kind, reason="nhầm")[0].text
        for kind in MsgType
    ]
    assert len(set(kinds)) == len(kinds)


TARIFFS = st.builds(Tariff, st.integers(0, 900), st.booleans(), st.just(Rules()))


@given(
    st.integers(0, 2_000_000),
    st.lists(TARIFFS, min_size=1, max_size=3),
    st.sampled_from(["", LONG, "đ" * 50]),
)
def test_at_most_is_no_less_than_any_estimate(readers: int, tariffs: list[Tariff], more: str) -> None:
    message = alert(more or "Nước lên nhanh.")
    segments, vnd = at_most(message, readers, tariffs)
    for tariff in tariffs:
        for share in (0, readers // 3, readers):
            told = estimate(
                message.content, message.issuer_name, {"vi": share, "en": readers - share}, tariff
            )
            assert sum(one.segments for one in told) <= segments
            assert sum(one.vnd for one in told) <= vnd


@pytest.mark.parametrize("accented", [False, True])
def test_the_opening_and_the_banned_keep_within_three_parts(accented: bool) -> None:
    message = alert(LONG * 3)
    rules = Rules(opening="HANOI:", banned="[]", reserved=38)
    text = render(message, "vi", accented, rules)
    assert text.startswith("HANOI: ")
    assert not set(text) & set("[]")
    assert count(text + "." * 38).parts == 3
