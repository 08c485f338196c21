"""RFC 8291: its own example, the round trip, and what is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.push.web.sandbox.browser import browser, subscription
from channels.push.web.seal import CURVE, RECORD, ROOM, Receiver, SealError, opened, seal

BROWSER = subscription("https://push.example", "one")
TO = Receiver(BROWSER.p256dh, BROWSER.auth)


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_the_rfc() -> None:
    private = int.from_bytes(raw("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
    body = raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
        "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    key = ec.derive_private_key(private, CURVE)
    assert opened(body, key, raw("BTBZMqHH6r4Tts7J_aSIgg")) == b"When I grow up, I want to be a watermelon"


@settings(max_examples=25)
@given(st.binary(max_size=ROOM))
def test_what_is_sealed_is_opened(text: bytes) -> None:
    body = seal(text, TO)
    assert len(body) <= RECORD
    assert opened(body, *browser("one")) == text


def test_the_largest_fits_and_one_more_does_not() -> None:
    assert len(seal(bytes(ROOM), TO)) == RECORD
    with pytest.raises(SealError, match="more than"):
        seal(bytes(ROOM + 1), TO)


def test_no_two_are_alike() -> None:
    assert len({seal(b"x", TO) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "to",
    [
        Receiver(b"\x04" + bytes(64), BROWSER.auth),
        Receiver(b"", BROWSER.auth),
        Receiver(BROWSER.p256dh, b""),
    ],
)
def test_keys_that_are_none(to: Receiver) -> None:
    with pytest.raises(SealError):
        seal(b"x", to)


def test_another_browser_reads_nothing() -> None:
    body = seal(b"x", TO)
    for odd in (body[:-1], body[:40], b"", body[:-1] + bytes((body[-1] ^ 1,))):
        with pytest.raises(SealError):
            opened(odd, *browser("one"))
    with pytest.raises(SealError):
        opened(body, *browser("two"))
