"""Ed25519 as the controller reckons it: the RFC's own vectors, and whatever a fuller library signs."""

import hashlib
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.keys.feed import FeedKey
from broadcaster.player.controller import is_authentic, is_signed, key_name

VECTORS = (
    (  # RFC 8032 §7.1, TEST 1
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (  # TEST 2
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
            "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (  # TEST 3
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
            "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (  # TEST SHA(abc)
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b5890"
            "9351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
)
ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(public: str, message: bytes, signature: str) -> None:
    key, right = bytes.fromhex(public), bytes.fromhex(signature)
    assert is_signed(key, message, right)
    assert not is_signed(key, message + b"x", right)
    for at in (0, 31, 32, 63):
        assert not is_signed(key, message, right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :])


@given(message=st.binary(max_size=2000), flip=st.integers(0, 64 * 8 - 1))
@settings(max_examples=40, deadline=None)
def test_it_agrees_with_a_fuller_library(message: bytes, flip: int) -> None:
    private = Ed25519PrivateKey.generate()
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert is_signed(public, message, signature)
    bent = bytearray(signature)
    bent[flip // 8] ^= 1 << flip % 8
    assert not is_signed(public, message, bytes(bent))


def test_no_second_signature_can_be_made_of_one() -> None:
    public, message, signature = VECTORS[1]
    key, right = bytes.fromhex(public), bytes.fromhex(signature)
    again = int.from_bytes(right[32:], "little") + ORDER
    assert not is_signed(key, message, right[:32] + again.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "public",
    [b"", bytes(31), bytes(33), PRIME.to_bytes(32, "little"), (2).to_bytes(32, "little"), b"\xff" * 32],
)
def test_what_is_no_key_signs_nothing(public: bytes) -> None:
    assert not is_signed(public, b"", bytes.fromhex(VECTORS[0][2]))


def test_a_header_counts_by_the_pinned_keys_only() -> None:
    ours, other = FeedKey.fresh(), FeedKey.fresh()
    body = b'{"schema":"led-feed/1"}'
    said = ours.sign(body)
    assert key_name(ours.public) == ours.key_id
    assert is_authentic(body, said, [ours.public])
    assert is_authentic(body, said, [other.public, ours.public])  # while keys change
    assert not is_authentic(body, said, [other.public])
    assert not is_authentic(body + b" ", said, [ours.public])
    for bad in ("", "ed25519=;key=", said.replace("ed25519", "rsa"), said[:-1], f"{said};"):
        assert not is_authentic(body, bad, [ours.public])
    renamed = f"ed25519={b64encode(other.private.sign(body)).decode()};key={ours.key_id}"
    assert not is_authentic(body, renamed, [ours.public])
