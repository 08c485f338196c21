"""What the pages on people and on keys share: as whose manager one asks, and what is wrong with it."""

from dataclasses import dataclass
from typing import Self

from broadcaster.account import Role
from broadcaster.accounts.store import AccountError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import Form
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services


@dataclass(frozen=True)
class Entered:
    """What was typed into one of a page's forms, which is shown again with it where something is wrong."""

    form: str = ""
    account: str = ""
    body: str = ""
    role: str = ""

    @classmethod
    def of(cls, name: str, form: Form) -> Self:
        """The form of that name."""
        return cls(name, form.one("account"), form.one("body"), form.one("role"))


NOTHING = Entered()


def acting_for(services: Services, visitor: Visitor, body: str) -> str:
    """The body as whose manager the visitor decides about this one. Raises RefusedError."""
    if services.body(body) is None:
        raise RefusedError(Rule.BODY, f"{visitor.name} does not act for that body")
    return services.access.acting(visitor.name, body, services.now())


def code_of(error: AccountError | RefusedError) -> str:
    """As faults.html names it."""
    if isinstance(error, AccountError):
        return f"account-{error.code}"
    return {Rule.FOUR_EYES: "not-oneself", Rule.EXISTS: "taken", Rule.STATE: "not-held"}.get(
        error.rule, error.rule.value
    )


def faults_of(
    services: Services, visitor: Visitor, name: str, form: Form, roles: tuple[Role, ...]
) -> list[Fault]:
    """What is wrong with the role asked for in the form of that name, or with the second factor."""
    if form.one("role") not in {role.value for role in roles}:
        return [Fault(f"{name}-role", "invalid")]
    wrong = second_factor.fault(services, visitor, form)
    return [Fault(f"{name}-code", f"code-{wrong}")] if wrong else []


def managed_bodies(services: Services, visitor: Visitor) -> list[tuple[str, str]]:
    """The bodies that the visitor decides about, by id and name: the own ones first."""
    own, every = visitor.bodies(Role.MANAGER), services.directory.bodies()
    found = [(body, services.directory.body_name(body)) for body in own]
    if any(every[body].parent is None for body in own if body in every):
        found += sorted(
            ((each.issuer_id, each.name) for each in every.values() if each.issuer_id not in own),
            key=lambda each: each[1],
        )
    return found
