"""The area register."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.drafting.area_names import MOST, AreaNames
from broadcaster.web.api.place_models import (
    AreaDetail,
    AreaMatches,
    AreaPage,
    NamedArea,
    NamedAreas,
    area_answer,
)
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.areas import AreaTree, unaccented
from schemas.content import AreaCode
from schemas.requests import Body

router = APIRouter(prefix="/v1/areas", tags=["register"])

_KEPT = "public, max-age=300"

Edition = Annotated[
    str,
    Field(pattern=r"^[0-9A-Za-z.-]{1,40}$", description="Of the register; the one in force without it."),
]


class Wanted(Body):
    """Which areas."""

    edition: Edition | None = None
    level: Annotated[int | None, Field(ge=1, le=9, description="1 is the city.")] = None
    parent: Annotated[AreaCode | None, Field(description="Directly below this area.")] = None
    q: Annotated[
        str | None,
        Field(max_length=100, description="Words of the name; accents and case aside: `phuc xa`."),
    ] = None


class OfEdition(Body):
    """In which edition."""

    edition: Edition | None = None


@router.get("", summary="List or search areas", responses=problems_of(404, 422))
def list_areas(services: WithServices, response: Response, wanted: Annotated[Wanted, Query()]) -> AreaPage:
    """Parents before children."""
    tree = _tree(services, wanted.edition)
    if wanted.parent is not None:
        _known(tree, wanted.parent)
    words = unaccented(wanted.q or "")
    found = [
        area_answer(area, tree)
        for area in tree
        if (wanted.level is None or area.level == wanted.level)
        and (wanted.parent is None or area.parent_code == wanted.parent)
        and words in unaccented(area.name)
    ]
    response.headers["Cache-Control"] = _KEPT
    return AreaPage(edition=tree.edition, areas=found)


class NameList(Body):
    """Names as they were pasted."""

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60_000,
            description="Parted by lines, semicolons or commas: `Phúc Xá, Ba Đình`.",
        ),
    ]
    edition: Edition | None = None


@router.post("/match", summary="Match a list of names", responses=problems_of(404, 413, 422))
def match_names(services: WithServices, request: NameList) -> AreaMatches:
    """With or without "Phường", "Xã", "Quận", accents, and the district after a comma.

    Nothing is guessed: a name that could mean several areas comes back with all of them, one that means
    none as it was written. At most 2,000 names.
    """
    tree = _tree(services, request.edition)
    try:
        found = AreaNames(tree).match(request.text)
    except ValueError:
        raise ProblemError("request.invalid", f"text: at most {MOST:,} names.") from None
    return AreaMatches(
        edition=tree.edition,
        matched=[
            NamedArea(text=one.text, area=area_answer(one.areas[0], tree))
            for one in found
            if len(one.areas) == 1
        ],
        ambiguous=[
            NamedAreas(text=one.text, candidates=[area_answer(area, tree) for area in one.areas])
            for one in found
            if len(one.areas) > 1
        ],
        unmatched=[one.text for one in found if not one.areas],
    )


@router.get("/{code}", summary="Read an area", responses=problems_of(404, 422))
def read_area(
    services: WithServices, response: Response, code: AreaCode, wanted: Annotated[OfEdition, Query()]
) -> AreaDetail:
    """With those above it and directly below it."""
    tree = _tree(services, wanted.edition)
    _known(tree, code)
    response.headers["Cache-Control"] = _KEPT
    return AreaDetail(
        edition=tree.edition,
        area=area_answer(tree[code], tree),
        above=[area_answer(tree[above], tree) for above in tree.ancestors(code)],
        below=[area_answer(area, tree) for area in tree.children(code)],
    )


def _tree(services: Services, edition: str | None) -> AreaTree:
    try:
        return services.tree(edition)
    except LookupError as error:
        raise ProblemError("not-found", f"{error}.") from None


def _known(tree: AreaTree, code: str) -> None:
    if code not in tree:
        raise ProblemError("not-found", f"Edition {tree.edition} has no area {code}.")
