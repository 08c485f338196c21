"""A fresh second factor, before anything goes out or stops: given minutes ago, or with this very form."""

from broadcaster.accounts import throttle
from broadcaster.web.console.form import Form
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.services import Services

FIELD = "code"


def fault(services: Services, visitor: Visitor, form: Form) -> str | None:
    """What is wrong with it: missing, wrong, or wait; None where it is fresh, or fresh now."""
    if visitor.is_fresh:
        return None
    code = form.one(FIELD)
    if not code:
        return "missing"
    desk, now = services.ports.desk, services.now()
    subjects = throttle.of_code(visitor.name)
    if desk.throttle.enter(subjects, now) is not None:
        return "wait"
    if not desk.accounts.check_code(visitor.name, code, now):
        return "wrong"
    desk.throttle.forgive(subjects)
    desk.sessions.refresh(visitor.session.id, now)
    return None
