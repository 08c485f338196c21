"""Displays by profile: how much text one page of each takes.

Columns and lines are what was found legible with Vietnamese marks at one bit a pixel.
"""

from typing import NamedTuple


class Profile(NamedTuple):
    """Characters in a line, lines in a page."""

    columns: int
    lines: int


PROFILES = {
    "m96x32-1": Profile(12, 2),
    "m128x64-1": Profile(16, 4),
    "m192x64-1": Profile(19, 3),
    "m192x96-1": Profile(16, 4),
    "lcd1920": Profile(40, 4),
}
SMALLEST = PROFILES["m96x32-1"]


def profile(name: str) -> Profile:
    """The profile of that name; the smallest for an unknown one, since its pages fit any display."""
    return PROFILES.get(name, SMALLEST)
