"""For monitors: is it well, and how is it doing."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from starlette.responses import Response as Plain

from broadcaster.web.monitoring.metrics import CONTENT_TYPE
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import WithServices

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """Whether each engine answers."""

    status: Literal["ok", "failing"]
    engines: dict[str, bool]
    screens: dict[str, int]
    """Those that were ever heard, online and offline. A silent screen is not our own ill health."""


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is it well", responses={503: {"model": Health}})
async def healthz(services: WithServices, response: Response) -> Health:
    """200 while every engine answers, else 503; the body is the same."""
    engines = dict(await services.pulse.get())
    well = all(engines.values())
    response.status_code = 200 if well else 503
    return Health(
        status="ok" if well else "failing", engines=engines, screens=services.seen.counts._asdict()
    )


@router.get("/metrics", summary="Figures for Prometheus", responses=problems_of(503))
def metrics(services: WithServices) -> Plain:
    """Requests, the log's head, and how far each projection has come. Keep the public from it."""
    return Plain(services.metrics.render(), media_type=CONTENT_TYPE)
