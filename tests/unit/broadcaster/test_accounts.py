"""Accounts below the web: pauses, seals, codes, passwords."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.accounts import codes
from broadcaster.accounts.passwords import Passwords, fault
from broadcaster.accounts.sealing import Sealer, SealError
from broadcaster.accounts.throttle import LONGEST, of_number, of_sign_in, pause

AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)


@given(st.integers(0, 10_000), st.integers(1, 100))
def test_a_pause_grows_and_has_an_end(failures: int, free: int) -> None:
    wait = pause(failures, free)
    assert timedelta() <= wait <= LONGEST
    assert wait <= pause(failures + 1, free)
    assert (wait == timedelta()) == (failures < free)


def test_a_network_of_one_customer_is_one_address() -> None:
    here, there = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"
    assert of_sign_in("lan", here) == of_sign_in("lan", there)
    assert of_number(here) == of_number(there)
    for other in ("2001:db8:1:3::1", "10.0.0.1"):
        assert of_sign_in("lan", here)[1] != of_sign_in("lan", other)[1]


@given(st.text(max_size=50), st.text(max_size=20))
def test_what_is_sealed_opens_for_its_account_alone(text: str, account: str) -> None:
    sealer = Sealer(lambda: bytes(32))
    sealed = sealer.seal(text, account)
    assert sealer.open(sealed, account) == text
    assert sealer.seal(text, account) != sealed
    with pytest.raises(SealError):
        sealer.open(sealed, f"{account}x")
    with pytest.raises(SealError):
        Sealer(lambda: bytes(31) + b"x").open(sealed, account)


def test_a_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(SealError, match="16 bytes"):
        Sealer(lambda: bytes(16)).seal("x", "y")


@given(st.integers(-3, 3))
def test_a_code_holds_a_step_around_now(steps: int) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    code = codes.code(secret, AT + timedelta(seconds=steps * codes.STEP))
    found = codes.step_of(secret, f"{code[:3]} {code[3:]}", AT, 0)
    assert (found is not None) == (abs(steps) <= 1)
    if found is not None:
        assert codes.step_of(secret, code, AT, found) is None
    assert codes.step_of(secret, "٣٣٣٣٣٣", AT, 0) is None


def test_a_password_is_long_enough_and_not_the_name() -> None:
    assert fault("short", "lan") == "short"
    assert fault("x" * 201, "lan") == "long"
    assert fault("lan lan lan lan", "lan@ubnd-tp") == "name"
    assert fault("mưa rơi trên phố", "lan") is None


def test_nobody_has_a_password() -> None:
    weak = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    kept = weak.hash("mưa rơi trên phố")
    assert weak.verify(kept, "mưa rơi trên phố")
    assert not weak.verify(kept, "mưa rơi trên phô")
    assert not weak.verify(None, "nobody has this password")
    assert not weak.verify("no hash", "x")
    assert Passwords().is_old(kept)
