"""Whom alerts can reach: phones registered in each commune, against those who live there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from broadcaster.registry.coverage import Coverage
from broadcaster.web import area_map, chart
from broadcaster.web.area_map import AreaMap
from broadcaster.web.chart import Reach
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import WithServices
from schemas.areas import AreaTree

router = APIRouter(prefix="/console/reach", include_in_schema=False)

MOST = 100
"""Communes in the table at first: the worst reached are what one comes for."""


@dataclass(frozen=True)
class Total:
    """Of all communes together. `population` counts those whose population the register knows."""

    phones: int
    push: int
    sms: int
    population: int
    beyond: int
    """Phones whose home is no commune but a district or the city."""


@router.get("")
def reach_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    whole: Annotated[bool, Query(alias="all")] = False,
) -> Response:
    """The map, and the table with the same figures; the worst reached first, or `all` of them."""
    tree = services.tree()
    counted = services.coverage.get(services.now())
    laid = area_map.drawn(services.ports.pool, tree)
    # The same for everyone until it is counted again; the very count is the key, whatever its hour.
    key = ("reach", tree.edition, laid.digest, counted)
    figures = services.fragments.value(key, lambda: _figures(tree, laid, counted))
    return show(
        request,
        visitor,
        "reach.html",
        here="reach",
        edition=tree.edition,
        fragments=services.fragments,
        key=key,
        width=chart.WIDTH,
        at=counted.at,
        whole=whole,
        most=MOST,
        **figures,
    )


def _figures(tree: AreaTree, laid: AreaMap, counted: Coverage) -> dict[str, Any]:
    leaves = list(tree.leaves(tree.root))
    found = [Reach(area, *counted.of(area.code)) for area in leaves]
    within = sum(each.phones for each in found)
    return {
        "total": Total(
            within,
            sum(each.push for each in found),
            sum(each.sms for each in found),
            sum(each.area.population or 0 for each in found),
            sum(each.phones for each in counted.homes.values()) - within,
        ),
        "chart": chart.chart(found, laid),
        "rows": _worst_first(found),
        "above": {area.code: tree[area.parent_code].name for area in leaves if area.parent_code},
    }


def _worst_first(found: Sequence[Reach]) -> list[Reach]:
    def key(each: Reach) -> tuple[bool, float, int, str]:
        # Those whose share is unknown come after, by how few phones they have.
        return each.share is None, each.share or 0.0, each.phones, each.area.name

    return sorted(found, key=key)
