"""How many things wait for the visitor: the number beside their work, on every page."""

from broadcaster.account import Role
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.services import Services
from projections.board import view as board
from projections.board.fold import Stage


def pending(services: Services, visitor: Visitor) -> int:
    """Alerts to approve, to issue or to write on, and access to confirm; own drafts wait for nobody."""
    by_stage: dict[Stage, tuple[str, ...]] = {
        "submitted": visitor.bodies(Role.APPROVER),
        "approved": visitor.bodies(Role.AUTHOR, Role.APPROVER),
        "draft": visitor.bodies(Role.AUTHOR),
    }
    # It asks the log: not to be called by who holds a connection.
    asked = services.access.of(visitor.name, services.now()) if visitor.bodies(Role.MANAGER) else ()
    with services.reading() as conn:
        alerts = board.count(conn, by_stage)
    return alerts + sum(each.is_for(visitor.name) for each in asked)
