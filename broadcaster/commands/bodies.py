"""The commands on bodies: how they are reached, what they decided for themselves, who succeeds whom."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time

from broadcaster.account import Role
from broadcaster.issuer import Issuer
from broadcaster.issuer_settings import close, set_contacts, set_policy, succeed
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from broadcaster.reorganisation.bodies import midnight
from broadcaster.reorganisation.plan import become_own
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, IssuerContact, IssuerEvent
from schemas.ids import issuer_stream


class BodyCommands:
    """What a manager does for a body, or for one directly below it; and what the operator does."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def set_contacts(
        self,
        by: Actor,
        issuer_id: str,
        contacts: Sequence[IssuerContact],
        *,
        at: datetime,
        once: Once | None = None,
    ) -> Issuer:
        """How the body is reached from now on. Raises RefusedError, UnknownStreamError."""

        def decide(body: Issuer) -> IssuerEvent:
            return set_contacts(body, by, contacts)

        return self._change("set contacts", by, issuer_id, decide, at=at, once=once)

    def set_policy(
        self,
        by: Actor,
        issuer_id: str,
        *,
        one_person_bulletins: bool,
        quiet_hours: tuple[time, time] | None,
        at: datetime,
        once: Once | None = None,
    ) -> Issuer:
        """What the body decides about its bulletins. Raises RefusedError, UnknownStreamError."""

        def decide(body: Issuer) -> IssuerEvent:
            return set_policy(body, by, one_person_bulletins=one_person_bulletins, quiet_hours=quiet_hours)

        return self._change("set policy", by, issuer_id, decide, at=at, once=once)

    def merge(self, by: Actor, issuer_id: str, heirs: Sequence[str], *, on: date, at: datetime) -> Issuer:
        """Ends a body on a day; `heirs` answer for it from then on. For the operator.

        Raises RefusedError, UnknownStreamError.
        """
        office, since = self._office, midnight(on)
        if not heirs or issuer_id in heirs or len(set(heirs)) < len(heirs):
            raise RefusedError(Rule.STATE, f"{issuer_id} passes to other bodies, each named once")

        def attempt() -> Issuer:
            ground = office.log.ground(deciding.GROUND)
            body = office.open_body(issuer_id, at)
            successors = [office.open_body(heir, max(at, since)) for heir in heirs]
            edition = office.edition(max(at, since))
            events: list[IssuerEvent] = [close(body, by, heirs, since)]
            events += [
                succeed(heir, by, issuer_id, since, become_own(body, heir, edition)) for heir in successors
            ]
            office.log.append(events, at=at, ground=ground)
            return office.body(issuer_id, at)

        return deciding.insist(attempt, f"{issuer_id} is")

    def _change(
        self,
        command: str,
        by: Actor,
        issuer_id: str,
        decide: Callable[[Issuer], IssuerEvent],
        *,
        at: datetime,
        once: Once | None,
    ) -> Issuer:
        office = self._office

        def checked(body: Issuer) -> IssuerEvent:
            self._check(by, body)
            return decide(body)

        with office.refusals(by, command, at, issuer_id=issuer_id):
            changed = deciding.change(
                office.log,
                lambda _: office.open_body(issuer_id, at),
                Issuer.fold,
                issuer_stream(issuer_id),
                checked,
                at=at,
                once=once,
                what=f"{issuer_id} is",
            )
        return changed.as_of(at, office.edition(at).name)

    def _check(self, by: Actor, body: Issuer) -> None:
        account = self._office.account(by.account)
        if (body.parent, Role.MANAGER) not in account.roles:
            account.check(body.issuer_id, Role.MANAGER)
