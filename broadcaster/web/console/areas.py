"""The areas to choose from: the tree of a page, and what a script searches, as one cached document."""

import gzip
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web.area_map import drawn
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import Services, WithServices
from broadcaster.web.templating import takes_gzip
from schemas.areas import AreaTree, unaccented

router = APIRouter(prefix="/console/areas", include_in_schema=False)

_lock = threading.Lock()
_FOR_EVER = "private, max-age=31536000, immutable"


@dataclass(frozen=True)
class Branch:
    """An area of the tree, with what lies below it."""

    code: str
    name: str
    below: tuple["Branch", ...]


def within(services: Services, body: str) -> tuple[str, ...]:
    """The areas that a body may address: its own, and those delegated to it now."""
    now, tree = services.now(), services.tree()
    rights = services.ports.office.rights(body, now)
    given = [each for each in rights.delegated.given if each.in_force(now)]
    codes = dict.fromkeys([rights.own.area, *(code for each in given for code in each.areas)])
    return tuple(code for code in codes if code in tree)


def branches(tree: AreaTree, codes: Sequence[str]) -> tuple[Branch, ...]:
    """The trees below these areas."""
    inner = {code for code in codes if set(codes).intersection(tree.ancestors(code))}
    return tuple(_branch(tree, code) for code in codes if code not in inner)


def _branch(tree: AreaTree, code: str) -> Branch:
    below = tuple(_branch(tree, area.code) for area in tree.children(code))
    return Branch(code, tree[code].name, below)


def names(tree: AreaTree, codes: Collection[str]) -> list[str]:
    """Of these areas; a code that the edition does not have stands for itself."""
    return [tree[code].name if code in tree else code for code in codes]


@lru_cache(maxsize=4)
def _document(edition: str, areas: tuple[tuple[str, str, str | None, int], ...]) -> tuple[bytes, bytes]:
    body = to_json({"edition": edition, "areas": areas})
    return body, gzip.compress(body, 9, mtime=0)


@router.get("/{edition}.json")
def area_index(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    edition: Annotated[str, Path(max_length=40)],
) -> Response:
    """Each area's code, its name without accents, the code above it, its population. Never changes."""
    del visitor
    try:
        tree = services.tree(edition)
    except LookupError:
        raise HTTPException(404) from None
    rows = tuple(
        (area.code, unaccented(area.name), area.parent_code, area.population or 0) for area in tree
    )
    with _lock:
        plain, packed = _document(edition, rows)
    return _json(request, plain, packed, _FOR_EVER)


@router.get("/{edition}/map/{digest}.json")
def area_map(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    edition: Annotated[str, Path(max_length=40)],
    digest: Annotated[str, Path(max_length=64)],
) -> Response:
    """Where each commune is drawn. Never changes under its digest; an old one gets today's."""
    del visitor
    try:
        found = drawn(services.ports.pool, services.tree(edition))
    except LookupError:
        raise HTTPException(404) from None
    return _json(
        request, found.document, found.packed, _FOR_EVER if digest == found.digest else "private, no-cache"
    )


def map_path(services: Services, tree: AreaTree, codes: Collection[str]) -> str | None:
    """Where the map of the communes below these areas is; None where fewer than two are on it."""
    found = drawn(services.ports.pool, tree)
    leaves = {leaf.code for code in codes for leaf in tree.leaves(code)}
    if sum(code in found for code in leaves) < 2:  # noqa: PLR2004 - of one there is nothing to choose
        return None
    return f"/console/areas/{tree.edition}/map/{found.digest}.json"


def _json(request: Request, plain: bytes, packed: bytes, keep: str) -> Response:
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding, Cookie"}
    if takes_gzip(request):
        return Response(
            packed, headers=headers | {"Content-Encoding": "gzip"}, media_type="application/json"
        )
    return Response(plain, headers=headers, media_type="application/json")
