"""The cadence for everyone, where the city has chosen to show it: every body's last 30 days."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.services import WithServices
from broadcaster.web.templating import compressed, page, render

router = APIRouter(include_in_schema=False)

LEVELS = (1, 2, 3)


@router.api_route("/cadence", methods=["GET", "HEAD"])
def scorecard_page(
    services: WithServices, request: Request, level: Annotated[Literal["1", "2", "3"], Query()] = "1"
) -> Response:
    """One level, the best first, as ranks go. 404 unless BROADCASTER_CADENCE_PUBLIC is set."""
    if not services.ports.cadence_public:
        raise HTTPException(404)
    lang, wanted = i18n.chosen(request), int(level)

    def make() -> str:
        month = services.overview.month(services.now())
        return render(
            "scorecard.html",
            lang,
            path="/cadence",
            here="scorecard",
            level=wanted,
            levels=LEVELS,
            month=month,
            bodies=[each for each in month.report.bodies if each.level == wanted],
            sums=month.report.levels.get(wanted),
        )

    return compressed(request, page(request, services.pages.get(("scorecard", lang, wanted), make)))
