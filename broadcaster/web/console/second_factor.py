"""A fresh second factor, before anything goes out or stops: given minutes ago, or with this very form."""

from broadcaster.accounts import throttle
from broadcaster.web.console.form import Form
from broadcaster.web.console.visitor import Visitor, of_token
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
    taken = desk.accounts.check_code(visitor.name, code, now, session=visitor.session.id)
    if not taken and not _is_fresh_by_now(services, visitor):
        return "wrong"
    desk.throttle.forgive(subjects)
    return None


def _is_fresh_by_now(services: Services, visitor: Visitor) -> bool:
    # The button was pressed twice: the first press took the code, for this very session.
    found = of_token(services, visitor.token)
    return found is not None and found.is_fresh
