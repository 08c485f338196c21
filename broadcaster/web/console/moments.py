"""Instants and days as inputs of a page take them, on Hanoi's clock."""

from datetime import datetime

from schemas.local_time import HANOI


def moment(text: str) -> datetime | None:
    """What an input of the kind datetime-local was filled with; None where it is empty.

    Raises ValueError.
    """
    if not text:
        return None
    return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=HANOI)
