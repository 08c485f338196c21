"""What only auditors may ask, of whichever body they are."""

from broadcaster.account import Role
from broadcaster.keys import Principal
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.services import Services


def require_auditor(services: Services, principal: Principal) -> None:
    """Raises RefusedError for who is auditor of no body."""
    roles = services.account(principal.account).roles
    if not any(role == Role.AUDITOR for _, role in roles):
        raise RefusedError(Rule.ROLE, f"{principal.account} is not auditor of any body")
