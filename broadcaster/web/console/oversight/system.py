"""How the whole house is, for managers of the city."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.monitoring import soundness
from broadcaster.web.services import WithServices

router = APIRouter(prefix="/console/system", include_in_schema=False)


@router.get("")
def system_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """What runs, what waits, what is wrong; the troubles first."""
    if not soundness.manages_city(services, visitor.account):
        raise RefusedError(Rule.ROLE, f"{visitor.name} is not manager of a body of the city")
    return show(request, visitor, "system.html", here="system", sight=soundness.look(services))
