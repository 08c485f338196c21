"""What identifies and qualifies one short message to one number, whoever carries it."""

import re
from datetime import UTC
from hashlib import blake2b
from zlib import crc32

from channels.gateway import Message
from schemas.content import Lane

CLIENT_ID_TAG = 0x1501
"""The optional parameter with the client id: SMPP 3.4 §5.3 leaves 0x1400-0x3FFF to vendors."""

PRIORITY = {Lane.EMERGENCY: 3, Lane.ALERT: 1, Lane.BULLETIN: 0}
"""SMPP 3.4 §5.2.14 priority_flag."""

_E164 = re.compile(r"[1-9][0-9]{7,14}")


def msisdn(address: str, country: str) -> str | None:
    """The number in international digits (E.164 without its plus), or None where it is none.

    A leading 0 is a national number of the country (its calling code, for example 84).
    """
    digits = country + address[1:] if address.startswith("0") else address.removeprefix("+")
    return digits if _E164.fullmatch(digits) else None


def reference(message: Message) -> str:
    """Names the alert version: the same at every try."""
    return f"{message.alert_id}/{message.version}"


def client_id(message: Message, number: str) -> str:
    """Names the message to this number: the same at every try, so a carrier can drop a repeat.

    The digest is keyed by the alert: it follows no one from one alert to another.
    """
    digest = blake2b(number.encode(), digest_size=8, key=message.alert_id.bytes).hexdigest()
    return f"{reference(message)}/{digest}"


def concatenation_reference(message: Message) -> int:
    """What phones join parts by (0..255): the same at every try, so a repeated part is no new one."""
    return crc32(reference(message).encode()) & 0xFF


def validity(message: Message) -> str:
    """The alert's end as SMPP 3.4 §7.1.1 absolute time: past it, the SMSC no longer delivers."""
    return f"{message.expires_at.astimezone(UTC):%y%m%d%H%M%S}000+"
