"""The areas a citizen looks at: in the address, or in a cookie. Nothing of it is kept by us."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fastapi import Request
from starlette.responses import Response

from broadcaster.registry.rules import MAX_AREAS
from broadcaster.web.services import Services
from schemas.areas import AreaTree, UnknownAreaError

COOKIE = "areas"
MOST = MAX_AREAS
_YEAR = 365 * 24 * 3600
_ASKED = 4 * MOST
"""Areas of an address that are looked at."""
_LONGEST = 40
"""Characters of a code or an edition's name; longer ones are nobody's."""


class TooManyError(ValueError):
    """More areas than one person may follow."""


@dataclass(frozen=True)
class Choice:
    """Areas of the edition in force, in the order they were named."""

    codes: tuple[str, ...]
    source: Literal["address", "cookie", "none"]


def chosen(services: Services, request: Request) -> Choice:
    """Of the address; else of the cookie, in today's codes; else none."""
    tree = services.tree()
    asked = request.query_params.getlist("area")[:_ASKED]
    if found := tuple(dict.fromkeys(code for each in asked for code in today(services, each))):
        return Choice(found[:MOST], "address")
    edition, _, codes = request.cookies.get(COOKIE, "").partition("~")
    kept = _translated(services, tree, edition, codes.split(".")) if codes else ()
    return Choice(kept[:MOST], "cookie" if kept else "none")


def known(tree: AreaTree, codes: Iterable[str]) -> tuple[str, ...]:
    """Those that the edition has, each once."""
    return tuple(dict.fromkeys(code for code in codes if len(code) <= _LONGEST and code in tree))


def today(services: Services, code: str) -> tuple[str, ...]:
    """An area of an address in today's codes: itself, or what became of it; nothing where nobody knows.

    A link lives longer than an edition of the register. A code in use again means what it means now.
    """
    tree = services.tree()
    if len(code) > _LONGEST or code in tree:
        return known(tree, (code,))
    atlas = services.ports.office.atlas()
    editions = sorted(atlas.register.editions, key=lambda edition: edition.effective_on, reverse=True)
    latest = next((edition for edition in editions if code in edition.tree), None)
    if latest is None:
        return ()
    try:
        return tuple(sorted(atlas.translated((code,), latest.name, tree.edition)))
    except (LookupError, UnknownAreaError):
        return ()


def _translated(services: Services, tree: AreaTree, edition: str, codes: list[str]) -> tuple[str, ...]:
    if edition == tree.edition:
        return known(tree, codes)
    atlas = services.ports.office.atlas()
    try:
        before = known(services.tree(edition), codes)
        return tuple(sorted(atlas.translated(before, edition, tree.edition)))
    except (LookupError, UnknownAreaError):
        return ()


def remember(services: Services, response: Response, codes: Iterable[str]) -> None:
    """Keeps the choice in the reader's browser; forgets it where it is empty. Raises TooManyError."""
    tree = services.tree()
    kept = known(tree, codes)
    if len(kept) > MOST:
        raise TooManyError
    secure = services.ports.base_url.startswith("https:")
    if not kept:
        response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
        return
    response.set_cookie(
        COOKIE,
        f"{tree.edition}~{'.'.join(kept)}",
        max_age=_YEAR,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
