"""Times as CAP writes them (CAP 1.2 §3.3.2): `YYYY-MM-DDThh:mm:ss` and an offset, nothing else."""

import re
from datetime import UTC, datetime, timedelta

from schemas.local_time import HANOI

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[-+][0-9]{2}:[0-9]{2}")


def written(instant: datetime) -> str:
    """The instant in Hanoi's time, its fraction of a second cut off."""
    return instant.astimezone(HANOI).isoformat(timespec="seconds")


def written_end(instant: datetime) -> str:
    """The same, rounded up: an end never comes before a beginning of the same second."""
    whole = instant.replace(microsecond=0)
    return written(whole if whole == instant else whole + timedelta(seconds=1))


def has_form(text: str) -> bool:
    """Whether it is a time that the standard allows; `+00:00` is (see `says_plus_zero`)."""
    return _FORM.fullmatch(text) is not None and read(text) is not None


def says_plus_zero(text: str) -> bool:
    """Whether UTC is written `+00:00`; the standard wants `-00:00`."""
    return text.endswith("+00:00")


def read(text: str | None) -> datetime | None:
    """The instant, UTC. Takes `Z` and fractions too; None where it says none."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
