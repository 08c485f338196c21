"""What a connection remembers of its last poll: the next is mostly the same bytes, or but for its state."""

import re
from typing import TYPE_CHECKING

from broadcaster.screens.seen import LONGEST

if TYPE_CHECKING:
    from broadcaster.web.edge.turn import Turn
    from broadcaster.web.feeds.polls import ServedCount

_LONGEST = 2_048
"""Bytes of a poll that is remembered: far below the limits of heads, which another state must not pass."""
_MARK = b"\r\nx-screen-state:"
_STATE = re.compile(rb"[!-~]{1,%d}" % LONGEST)
"""What may stand in for another state without a look at the rest: nothing that ends or folds a line."""


class Repeat:
    """A poll that was one request alone in its bytes, and its answer as of a generation of the cache.

    Signed polls are none: their nonce makes each another one, and has to be taken.
    """

    __slots__ = ("_after", "_before", "_data", "count", "end", "generation", "start", "turn", "unchanged")

    def __init__(self, data: bytes, turn: "Turn", count: "ServedCount", end: bytes) -> None:
        """`end` is what ends the head of its answers."""
        self._data, self.turn, self.count, self.end = data, turn, count, end
        self._before, self._after = _around(data, turn.state)
        self.generation = -1
        """The cache's when it was judged."""
        self.start, self.unchanged = b"", False

    def takes(self, data: bytes) -> bool:
        """Whether these bytes are the same poll; a new state is taken over."""
        known = self._data
        if data == known:
            return True
        before, after = self._before, self._after
        # What surrounds the state has to be what it was, byte for byte, so the parser would find the same.
        if not before or data[:before] != known[:before] or data[-after:] != known[-after:]:
            return False
        state = data[before:-after]
        if len(data) <= before + after or _STATE.fullmatch(state) is None:
            return False
        self._data, self.turn.state = data, state
        return True


def is_kept(data: bytes, turn: "Turn") -> bool:
    """Whether a poll is short enough to be remembered."""
    return len(data) <= _LONGEST and len(turn.state) <= LONGEST


def _around(data: bytes, state: bytes) -> tuple[int, int]:
    """How many bytes are before the state in a head, and how many after it; none where that is not plain.

    Not plain is one that is padded or folded over lines, or of which there are two.
    """
    small = data.lower()
    at = small.find(_MARK)
    if not state or at < 0 or small.find(_MARK, at + 1) >= 0:
        return 0, 0
    begin = at + len(_MARK)
    begin += data[begin : begin + 1] == b" "
    end = begin + len(state)
    is_folded = data[end + 2 : end + 3] in {b" ", b"\t"}
    if data[begin:end] != state or data[end : end + 2] != b"\r\n" or is_folded:
        return 0, 0
    return begin, len(data) - end
