from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broadcaster.registry.rules import (
    InvalidSubscriberError,
    NewSubscriber,
    SubscriberChange,
    broken_rule,
    check_push_address,
    phone_number,
    places,
)
from tests.registries import SMALL, person

TOKEN, PHONE = "tok-8f14e45fceea167a", "0912345678"


@given(
    st.sampled_from(["0", "84", "+84"]),
    st.from_regex(r"[35789][0-9]{8}", fullmatch=True),
    st.sampled_from(["", " ", ".", "-"]),
)
def test_every_way_to_write_a_mobile_number_is_one_number(prefix: str, rest: str, between: str) -> None:
    written = between.join([prefix, rest[:2], rest[2:5], rest[5:]])
    assert phone_number(written) == f"+84{rest}"


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "abc", "912345678", "091234567", "09123456789", "0212345678", "84091234567"),
        *("+85912345678", "+84 (0) 912345678", "0912345678\n", "0\uff1912345678"),
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="Vietnamese mobile number"):
        phone_number(text)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"token": None, "platform": None}, "token, phone: a token or a phone is required"),
        ({"platform": None}, "platform: goes with a token"),
        ({"token": None, "phone": PHONE}, "platform: goes with a token"),
        ({"token": ""}, "token: must be 1 to 4096 visible ASCII characters"),
        ({"token": "a b"}, "token: must be 1 to 4096"),
        ({"token": "tok-é"}, "token: must be 1 to 4096"),
        ({"token": "x" * 4097}, "token: must be 1 to 4096"),
        ({"phone": "0212345678"}, "phone: must be a Vietnamese mobile number"),
        ({"locale": "french"}, "locale: String should match pattern"),
        ({"token_kind": "apns"}, "token_kind: Input should be 'token', 'fid' or 'subscription'"),
        ({"opt_outs": ["bao", "weather"]}, "opt_outs: no. 2 is not a category"),
        ({"areas": ["00101"] * 21}, "areas: .*at most 20"),
        ({"nickname": "x"}, "nickname: Extra inputs are not permitted"),
    ],
)
def test_a_form_that_breaks_a_rule_names_field_and_rule(said: dict[str, Any], rule: str) -> None:
    form: dict[str, Any] = {"token": TOKEN, "platform": "android", "home": "00101"}
    with pytest.raises(ValidationError) as caught:
        NewSubscriber.model_validate(form | said)
    with pytest.raises(InvalidSubscriberError, match=f"^{rule}"):
        raise broken_rule(caught.value)


def test_the_longest_token_is_taken_and_opt_outs_are_put_in_order() -> None:
    new = person("x" * 4096, opt_outs=["tuyen_truyen", "bao", "bao"])
    assert (len(new.token or ""), new.opt_outs) == (4096, ("bao", "tuyen_truyen"))


def test_no_text_about_a_subscriber_shows_an_address() -> None:
    new = person(TOKEN, PHONE)
    change = SubscriberChange(phone=PHONE)
    with pytest.raises(ValidationError) as caught:
        NewSubscriber.model_validate(
            {"token": TOKEN, "phone": "0212345678", "platform": "tv", "home": "00101", "areas": [PHONE]}
        )
    with pytest.raises(InvalidSubscriberError) as nowhere:
        places(SMALL, "00101", [PHONE])
    for text in (repr(new), str(new), repr(change), str(caught.value), str(nowhere.value)):
        assert TOKEN not in text
        assert "12345678" not in text


def test_a_home_is_a_leaf_and_further_areas_are_any() -> None:
    assert places(SMALL, "00101", ["002", "00101", "01", "002"]) == (2, (0, 5))
    for home in ("001", "01", "", "99999"):
        with pytest.raises(
            InvalidSubscriberError, match="home: must be a lowest-level area of edition small"
        ):
            places(SMALL, home, [])
    with pytest.raises(InvalidSubscriberError, match=r"areas: no\. 2 is not an area of edition small"):
        places(SMALL, "00101", ["002", "nowhere"])


def test_a_refreshed_token_is_checked_like_a_new_one() -> None:
    check_push_address(TOKEN, "fid", "web")
    for wrong, field in (
        (("", "fid", "web"), "token"),
        ((TOKEN, "apns", "web"), "token_kind"),
        ((TOKEN, "fid", "tv"), "platform"),
    ):
        with pytest.raises(InvalidSubscriberError, match=f"^{field}: "):
            check_push_address(*wrong)
