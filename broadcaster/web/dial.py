"""Telephone numbers that a phone calls when they are pressed."""

import re

from markupsafe import Markup

_NUMBER = re.compile(r"\s*(\+?[0-9][0-9 .()-]{1,18}[0-9])(.*)", re.DOTALL)


def dial(contact: str) -> Markup:
    """A contact for a page: the number that it begins with is a link (RFC 3966); other words stay words."""
    found = _NUMBER.fullmatch(contact)
    if found is None:
        return Markup("{}").format(contact)
    number, rest = found.groups()
    return Markup('<a href="tel:{}">{}</a>{}').format(re.sub(r"[^0-9+]", "", number), number, rest)
