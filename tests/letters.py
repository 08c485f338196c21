"""What a test says that is about the letters of small screens, which come with the system."""

import pytest

from channels.led.faces import bitmap
from schemas.displays import Letters

with_small_letters = pytest.mark.skipif(
    None in {bitmap(Letters.CELLS_16), bitmap(Letters.CELLS_20)},
    reason="this system lacks the letters of small screens: Debian's fonts-unifont and xfonts-base",
)
