"""The commands on the cadence: its terms, and who is let off. For managers of the city office."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from schemas.cadence import CadencePolicy
from schemas.events import (
    Actor,
    CadenceEvent,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
)
from schemas.ids import stream_id

POLICY_STREAM = stream_id("cadence-policy")

Exempting = CadenceExempted | CadenceExemptionEnded
Decided = TypeVar("Decided", bound=CadenceEvent)


def exemptions_stream(issuer_id: str) -> UUID:
    """The stream of one body's exemptions."""
    return stream_id("cadence-exemptions", issuer_id)


class CadenceCommands:
    """`watch` is the city office. The operator at the machine needs no role of it."""

    def __init__(self, office: Office, watch: str) -> None:
        self._office, self._watch = office, watch

    def set_policy(
        self,
        by: Actor,
        policy: CadencePolicy,
        *,
        effective_at: datetime | None,
        reason: str,
        at: datetime,
        operator: bool = False,
        once: Once | None = None,
    ) -> CadencePolicySet:
        """Sets the terms from now or a later instant on: what was owed cannot be changed afterwards."""
        with self._office.refusals(by, "set cadence policy", at, issuer_id=by.body):
            since = effective_at or at

            def decide(version: int) -> CadencePolicySet:
                self._check(by, operator=operator)
                if since < at:
                    raise RefusedError(Rule.CADENCE_DATES, f"effective_at: {since.isoformat()} has passed")
                return CadencePolicySet(
                    originator_id=POLICY_STREAM,
                    originator_version=version,
                    by=by,
                    policy=policy,
                    effective_at=since,
                    reason=reason,
                )

            return self._append(POLICY_STREAM, decide, at, once)

    def exempt(
        self,
        by: Actor,
        issuer_id: str,
        *,
        reason: str,
        starts_at: datetime | None,
        ends_at: datetime | None,
        at: datetime,
        operator: bool = False,
        once: Once | None = None,
    ) -> CadenceExempted:
        """Lets a body off. It may begin in the past: the log keeps that it was recorded later.

        Raises UnknownStreamError where there is no such body.
        """
        self._office.issuer(issuer_id)
        stream = exemptions_stream(issuer_id)
        exemption_id = stream_id("cadence-exemption", once.account, once.key) if once else uuid4()
        with self._office.refusals(by, "exempt from cadence", at, issuer_id=issuer_id):
            since = starts_at or at

            def decide(version: int) -> CadenceExempted:
                self._check(by, operator=operator)
                if ends_at is not None and ends_at <= since:
                    raise RefusedError(
                        Rule.CADENCE_DATES, f"ends_at: {ends_at.isoformat()} is not after its beginning"
                    )
                return CadenceExempted(
                    originator_id=stream,
                    originator_version=version,
                    by=by,
                    issuer_id=issuer_id,
                    exemption_id=exemption_id,
                    reason=reason,
                    starts_at=since,
                    ends_at=ends_at,
                )

            return self._append(stream, decide, at, once)

    def end_exemption(
        self,
        by: Actor,
        issuer_id: str,
        exemption_id: UUID,
        *,
        at: datetime,
        operator: bool = False,
        once: Once | None = None,
    ) -> CadenceExemptionEnded:
        """Ends an exemption now. Raises UnknownStreamError where the body has no such exemption."""
        stream = exemptions_stream(issuer_id)
        with self._office.refusals(by, "end exemption", at, issuer_id=issuer_id):

            def decide(version: int) -> CadenceExemptionEnded:
                self._check(by, operator=operator)
                self._check_open(issuer_id, exemption_id, at)
                return CadenceExemptionEnded(
                    originator_id=stream,
                    originator_version=version,
                    by=by,
                    issuer_id=issuer_id,
                    exemption_id=exemption_id,
                    ends_at=at,
                )

            return self._append(stream, decide, at, once)

    def _check(self, by: Actor, *, operator: bool) -> None:
        if not operator:
            self._office.account(by.account).check(self._watch, Role.MANAGER)

    def _check_open(self, issuer_id: str, exemption_id: UUID, at: datetime) -> None:
        held = [event for event in self._events(issuer_id) if event.exemption_id == exemption_id]
        if not held:
            raise UnknownStreamError(f"{issuer_id} has no exemption {exemption_id}")
        ends_at = held[-1].ends_at
        if ends_at is not None and ends_at <= at:
            raise RefusedError(Rule.STATE, f"exemption {exemption_id} is over since {ends_at.isoformat()}")

    def _events(self, issuer_id: str) -> list[Exempting]:
        try:
            return self._office.log.load(exemptions_stream(issuer_id), _gathered)
        except UnknownStreamError:
            return []

    def _version(self, stream: UUID) -> int:
        try:
            return self._office.log.load(stream, _last).originator_version
        except UnknownStreamError:
            return 0

    def _append(
        self, stream: UUID, decide: Callable[[int], Decided], at: datetime, once: Once | None
    ) -> Decided:
        log = self._office.log

        def attempt() -> Decided:
            made = log.recall(once) if once else None
            if made is not None:
                return cast("Decided", log.load(made[0], _last, upto=made[1]))
            ground = log.ground(deciding.GROUND)
            event = decide(self._version(stream) + 1)
            log.append([event], at=at, once=once, ground=ground)
            return event

        return deciding.insist(attempt, "the terms of the cadence are")


def _gathered(
    state: list[Exempting] | None, event: CadenceExempted | CadenceExemptionEnded
) -> list[Exempting]:
    return [*(state or []), event]


def _last(state: CadenceEvent | None, event: CadenceEvent) -> CadenceEvent:
    del state
    return event
