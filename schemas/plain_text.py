"""Text for signs that know ASCII only."""

import unicodedata

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


def unaccented_text(text: str) -> str:
    """Plain ASCII, case kept: "Đường ngập" is "Duong ngap". What has no ASCII form is left out."""
    plain = unicodedata.normalize("NFKD", text).translate(_BY_HAND)
    return " ".join(plain.encode("ascii", "ignore").decode().split())
