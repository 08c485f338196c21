"""The alert that an address names, as far as the visitor may see it."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from starlette.exceptions import HTTPException

from broadcaster.log import UnknownStreamError
from broadcaster.web import story
from broadcaster.web.console.stream import WatchingVisitor
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.services import Services, WithServices
from broadcaster.web.story import Story


def asked(services: WithServices, visitor: WithVisitor, alert_id: Annotated[UUID, Path()]) -> Story:
    """What went out is for everyone; the work of a body for those who hold a role for it."""
    return _found(services, visitor, alert_id)


def watched(services: WithServices, visitor: WatchingVisitor, alert_id: Annotated[UUID, Path()]) -> Story:
    """The same, asked by an open page for itself."""
    return _found(services, visitor, alert_id)


def _found(services: Services, visitor: Visitor, alert_id: UUID) -> Story:
    try:
        found = story.read(services.ports.log, alert_id)
    except UnknownStreamError:
        raise HTTPException(404) from None
    if not found.is_public and not visitor.may(found.alert.issuer_id):
        raise HTTPException(404)
    return found


AskedAlert = Annotated[Story, Depends(asked)]
WatchedAlert = Annotated[Story, Depends(watched)]
