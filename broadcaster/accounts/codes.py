"""Second factors: six digits of a clock (TOTP, RFC 6238), each taken once."""

from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP
from pyotp.utils import strings_equal

STEP = 30
"""Seconds."""
_AROUND = (0, -1, 1)
"""Steps a clock may be off (RFC 6238 §5.2)."""
ISSUER = "Canh bao Ha Noi"


def new_secret() -> str:
    """160 random bits in base32."""
    return random_base32(32)


def code(secret: str, at: datetime) -> str:
    """The code that the secret shows now."""
    return TOTP(secret).at(int(at.timestamp()))


def address(secret: str, account: str) -> str:
    """What an authenticator takes (otpauth)."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, given: str, at: datetime, last: int) -> int | None:
    """The step whose code was given, later than the last one taken; None where there is none."""
    digits = "".join(given.split())
    totp, now = TOTP(secret), int(at.timestamp()) // STEP
    if not digits.isascii() or not digits.isdigit():
        return None
    for step in (now + off for off in _AROUND):
        if step > last and strings_equal(totp.generate_otp(step), digits):
            return step
    return None
