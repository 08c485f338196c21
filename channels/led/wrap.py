"""Breaking a text into lines and pages, evenly, by the widths its letters have."""

from bisect import bisect_right
from collections.abc import Callable

ELLIPSIS = "…"

Measure = Callable[[str], int]
"""How wide a text is, in pixels."""
Lines = tuple[str, ...]


def wrap(text: str, width: int, measure: Measure) -> list[str]:
    """The fewest lines no wider than `width`, and of those the evenest.

    Evenest means the least sum of squares of the room left over, so that no word stands alone. A
    word wider than a line is cut.
    """
    words = _words(text, width, measure)
    space = measure(" ")
    widths = [measure(word) for word in words]
    # best[i]: (lines, raggedness, end of the first line) for the words from i on.
    best: list[tuple[int, int, int]] = [(0, 0, 0)] * (len(words) + 1)
    for start in range(len(words) - 1, -1, -1):
        choices: list[tuple[int, int, int]] = []
        room = width + space
        for end in range(start + 1, len(words) + 1):
            room -= widths[end - 1] + space
            if room < 0 and end > start + 1:
                break
            count, ragged, _ = best[end]
            choices.append((count + 1, ragged + room * room, end))
        best[start] = min(choices)
    lines: list[str] = []
    start = 0
    while start < len(words):
        end = best[start][2]
        lines.append(" ".join(words[start:end]))
        start = end
    return lines


def cut(text: str, width: int, measure: Measure, most: int) -> str:
    """The text, or as many of its words as go into `most` lines, and an ellipsis."""
    if len(wrap(text, width, measure)) <= most:
        return text
    words = _words(text, width, measure)

    def too_long(count: int) -> bool:
        return len(wrap(" ".join(words[:count]) + ELLIPSIS, width, measure)) > most

    # Adding words never makes fewer lines, so the longest start that fits is found by halving.
    kept = bisect_right(range(len(words)), 0, lo=1, key=too_long) - 1
    return " ".join(words[:kept]) + ELLIPSIS


def pages(lines: list[str], lines_a_page: int) -> list[Lines]:
    """The fewest pages, evenly filled, the longer first."""
    count = -(-len(lines) // lines_a_page)
    if not count:
        return []
    size, longer = divmod(len(lines), count)
    found: list[Lines] = []
    start = 0
    for page in range(count):
        end = start + size + (page < longer)
        found.append(tuple(lines[start:end]))
        start = end
    return found


def _words(text: str, width: int, measure: Measure) -> list[str]:
    return [piece for word in text.split() for piece in _pieces(word, width, measure)]


def _pieces(word: str, width: int, measure: Measure) -> list[str]:
    found: list[str] = []
    while word and measure(word) > width:
        kept = max(1, bisect_right(range(len(word)), width, lo=1, key=lambda end: measure(word[:end])) - 1)
        found.append(word[:kept])
        word = word[kept:]
    return [*found, word] if word else found
