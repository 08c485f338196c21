"""What a row can hold."""


def storable(text: str, most: int = 2000) -> str:
    """Free text as PostgreSQL keeps and indexes it: no NUL, at most `most` characters.

    An event may hold what a client sent; a row that cannot be written would stop its projection.
    """
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:most]
