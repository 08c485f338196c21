"""The commands on delegations: only a manager of the grantor gives and takes back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.delegation import Delegation, Delegations
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, DelegationEvent
from schemas.ids import delegations_stream, stream_id


class DelegationCommands:
    """What managers of bodies do with the rights of their bodies."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def grant(
        self,
        by: Actor,
        grantor: str,
        grantee: str,
        *,
        fields: Sequence[str],
        areas: Sequence[str],
        starts_at: datetime | None,
        ends_at: datetime,
        at: datetime,
        once: Once | None = None,
    ) -> Delegation:
        """Lets `grantee` issue for `grantor`, at once where no start is named.

        Raises RefusedError, and UnknownStreamError where there is no such body.
        """
        office = self._office
        delegation_id = stream_id("delegation", grantee, once.account, once.key) if once else uuid4()

        def decide(held: Delegations) -> DelegationEvent:
            office.account(by.account).check(grantor, Role.MANAGER)
            for category in fields:
                if category not in office.categories:
                    raise RefusedError(Rule.UNKNOWN_CATEGORY, f"fields: there is no {category}")
            office.open_body(grantee, at)
            return held.grant(
                by,
                office.open_body(grantor, at),
                delegation_id,
                fields=fields,
                areas=areas,
                starts_at=starts_at or at,
                ends_at=ends_at,
                tree=office.edition(at).tree,
                at=at,
            )

        with office.refusals(by, "delegate", at, issuer_id=grantor):
            return self._change(grantee, decide, at, once).find(delegation_id)

    def revoke(
        self, by: Actor, delegation_id: UUID, *, at: datetime, once: Once | None = None
    ) -> Delegation:
        """Ends a delegation at once; what was issued under it stands. Raises UnknownStreamError."""
        given = self._office.delegation(delegation_id)

        def decide(held: Delegations) -> DelegationEvent:
            self._office.acting(by.account, given.grantor, (Role.MANAGER,), at)
            return held.revoke(by, delegation_id, at)

        with self._office.refusals(by, "revoke delegation", at, issuer_id=given.grantor):
            return self._change(given.grantee, decide, at, once).find(delegation_id)

    def _change(
        self,
        grantee: str,
        decide: Callable[[Delegations], DelegationEvent],
        at: datetime,
        once: Once | None,
    ) -> Delegations:
        office = self._office
        return deciding.change(
            office.log,
            lambda _: office.delegations(grantee),
            Delegations.fold,
            delegations_stream(grantee),
            decide,
            at=at,
            once=once,
            what=f"the delegations of {grantee} are",
        )
