"""What is on record: the aggregates, each folded from its stream of the log."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from broadcaster.account import Account
from broadcaster.alert import Alert
from broadcaster.area_set import AreaSet
from broadcaster.areas import AreaRegister, Edition
from broadcaster.atlas import Atlas
from broadcaster.delegation import Delegation, Delegations
from broadcaster.issuer import Issuer
from broadcaster.log import AlertLog, UnknownStreamError
from broadcaster.office.delegation_index import DelegationIndex
from broadcaster.screen import Screen
from broadcaster.screen_group import ScreenGroup
from broadcaster.template import Template
from schemas.events import (
    AlertEvent,
    AreaSetEvent,
    IssuerEvent,
    ScreenEvent,
    ScreenGroupEvent,
    TemplateEvent,
)
from schemas.ids import REGISTER_STREAM, account_stream, delegations_stream, issuer_stream

State = TypeVar("State")


class Records:
    """Loads aggregates from the log; what grows for ever is read on from where it was left off."""

    def __init__(self, log: AlertLog) -> None:
        self.log = log
        self._register = AreaRegister()
        self._atlas = Atlas(self._register)
        self._delegations: dict[str, Delegations] = {}
        self._index = DelegationIndex(log)

    def alert(self, alert_id: UUID, *, upto: int | None = None) -> Alert:
        """The alert now, or as it was after `upto` events. Raises UnknownStreamError."""
        return self._load(f"alert {alert_id}", alert_id, Alert.fold, AlertEvent, upto)

    def issuer(self, issuer_id: str) -> Issuer:
        """The body. Raises UnknownStreamError."""
        return self._load(f"body {issuer_id}", issuer_stream(issuer_id), Issuer.fold, IssuerEvent)

    def account(self, name: str) -> Account:
        """The account; one that was never granted anything holds nothing."""
        try:
            return self.log.load(account_stream(name), Account.fold)
        except UnknownStreamError:
            return Account(name)

    def register(self) -> AreaRegister:
        """The area register; only what is new is read again."""
        # Threads share it: what this one read is answered, whatever another one keeps meanwhile.
        found = self.log.forward(REGISTER_STREAM, AreaRegister.fold, self._register)
        self._register = found
        return found

    def edition(self, at: datetime) -> Edition:
        """The edition in force. Raises LookupError."""
        return self.register().current(at)

    def atlas(self) -> Atlas:
        """How its editions follow from each other."""
        register = self.register()
        found = self._atlas
        if found.register.version != register.version:
            found = self._atlas = Atlas(register)
        return found

    def delegations(self, grantee: str) -> Delegations:
        """What was delegated to a body that exists; only what is new is read again."""
        known = self._delegations.get(grantee) or Delegations(grantee)
        held = self.log.forward(delegations_stream(grantee), Delegations.after, known)
        self._delegations[grantee] = held
        return held

    def delegation(self, delegation_id: UUID) -> Delegation:
        """The delegation. Raises UnknownStreamError."""
        try:
            return self.every_delegation()[delegation_id]
        except KeyError:
            raise UnknownStreamError(f"there is no delegation {delegation_id}") from None

    def every_delegation(self) -> Mapping[UUID, Delegation]:
        """All of them by id, in order of grant."""
        return self._index.all()

    def screen(self, screen_id: UUID) -> Screen:
        """The screen. Raises UnknownStreamError."""
        return self._load(f"screen {screen_id}", screen_id, Screen.fold, ScreenEvent)

    def screen_group(self, group_id: UUID) -> ScreenGroup:
        """The group of screens. Raises UnknownStreamError."""
        return self._load(f"screen group {group_id}", group_id, ScreenGroup.fold, ScreenGroupEvent)

    def template(self, template_id: UUID) -> Template:
        """The template. Raises UnknownStreamError."""
        return self._load(f"template {template_id}", template_id, Template.fold, TemplateEvent)

    def area_set(self, area_set_id: UUID) -> AreaSet:
        """The set of areas. Raises UnknownStreamError."""
        return self._load(f"area set {area_set_id}", area_set_id, AreaSet.fold, AreaSetEvent)

    def _load(
        self,
        what: str,
        stream: UUID,
        fold: Callable[[State | None, Any], State],
        kinds: Any,
        upto: int | None = None,
    ) -> State:
        def checked(state: State | None, event: Any) -> State:
            if not isinstance(event, kinds):
                raise UnknownStreamError  # The id is that of a stream of another kind.
            return fold(state, event)

        try:
            return self.log.load(stream, checked, upto=upto)
        except UnknownStreamError:
            raise UnknownStreamError(f"there is no {what}") from None
