"""The pieces every line of the audit is made of."""

from typing import NamedTuple


class Words(NamedTuple):
    """One line in each language."""

    vi: str
    en: str


def areas(count: int) -> str:
    """How many areas, in English."""
    return f"{count} {'area' if count == 1 else 'areas'}"
