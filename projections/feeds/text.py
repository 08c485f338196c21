"""Text for signs: without accents where a sign knows ASCII only, and wrapped into pages."""

import unicodedata
from bisect import bisect_right

from projections.feeds.profiles import Profile

MAX_PAGES = 3
"""A matrix shows one alert in 3 pages at most: passers-by see the whole of it in 12 seconds."""
ELLIPSIS = "…"

# đ is a letter of its own in Unicode, and the rest have no ASCII base either.
_BY_HAND = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "\N{DONG SIGN}": "d",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{BULLET}": "-",
        "\N{MIDDLE DOT}": "-",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{FRACTION SLASH}": "/",
    }
)

Page = tuple[str, ...]
"""The lines of one page."""


def unaccented_text(text: str) -> str:
    """Plain ASCII, case kept: "Đường ngập" is "Duong ngap". What has no ASCII form is left out."""
    plain = unicodedata.normalize("NFKD", text).translate(_BY_HAND)
    return " ".join(plain.encode("ascii", "ignore").decode().split())


def wrap(text: str, columns: int) -> list[str]:
    """The fewest lines of at most so many characters, and of those the evenest.

    Evenest means the least sum of squares of the room left over, so that no word stands alone. A
    word longer than a line is cut.
    """
    words = _words(text, columns)
    # best[i]: (lines, raggedness, end of the first line) for the words from i on.
    best: list[tuple[int, int, int]] = [(0, 0, 0)] * (len(words) + 1)
    for start in range(len(words) - 1, -1, -1):
        choices: list[tuple[int, int, int]] = []
        room = columns + 1
        for end in range(start + 1, len(words) + 1):
            room -= len(words[end - 1]) + 1
            if room < 0:
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


def fits(text: str, profile: Profile) -> bool:
    """Whether the whole text is shown; ask before an alert is approved, not on the street."""
    return len(wrap(text, profile.columns)) <= profile.lines * MAX_PAGES


def paginate(text: str, profile: Profile) -> list[Page]:
    """At most MAX_PAGES pages, evenly filled; a text too long ends in an ellipsis, at a word."""
    lines = wrap(_cut(text, profile), profile.columns)
    pages = -(-len(lines) // profile.lines)
    if not pages:
        return []
    size, longer = divmod(len(lines), pages)
    result: list[Page] = []
    start = 0
    for page in range(pages):
        end = start + size + (page < longer)
        result.append(tuple(lines[start:end]))
        start = end
    return result


def _cut(text: str, profile: Profile) -> str:
    if fits(text, profile):
        return text
    words = _words(text, profile.columns)

    def too_long(count: int) -> bool:
        return not fits(" ".join(words[:count]) + ELLIPSIS, profile)

    # Adding words never makes fewer lines, so the longest start that fits is found by halving.
    kept = bisect_right(range(len(words)), 0, lo=1, key=too_long) - 1
    return " ".join(words[:kept]) + ELLIPSIS


def _words(text: str, columns: int) -> list[str]:
    return [word[i : i + columns] for word in text.split() for i in range(0, len(word), columns)]
