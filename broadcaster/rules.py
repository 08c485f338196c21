"""How a command says no: a rule with a name, so that the refusal can be read, counted and shown."""

from enum import StrEnum
from typing import NamedTuple


class Rule(StrEnum):
    """Every rule a command can break. The value is what clients and the audit see."""

    # Authority: who may do this at all.
    ROLE = "role.missing"
    BODY = "body.not-yours"
    AREA = "jurisdiction.area"
    FIELD = "jurisdiction.field"
    FOUR_EYES = "approval.four-eyes"
    CLOSED = "body.closed"
    # Delegation: what one body may let another do.
    DELEGATION_SELF = "delegation.self"
    DELEGATION_AREA = "delegation.area"
    DELEGATION_FIELD = "delegation.field"
    DELEGATION_DATES = "delegation.dates"
    DELEGATION_OVER = "delegation.over"
    # Cadence: the terms of the duty to inform.
    CADENCE_DATES = "cadence.dates"
    # Content: what may be said.
    UNKNOWN_AREA = "content.unknown-area"
    EDITION = "content.edition"
    UNKNOWN_CATEGORY = "content.unknown-category"
    RISK_LEVEL = "content.risk-level"
    EXPIRY = "content.expiry"
    SIGN = "content.sign-text"
    DISPLAY = "content.display"
    SCHEDULE = "content.schedule"
    MODE = "content.mode"
    LIMIT = "content.limit"
    TEMPLATE = "content.template"
    # State: when.
    STATE = "state.not-now"
    EXISTS = "state.exists"

    @property
    def is_authority(self) -> bool:
        """Whether it says who, rather than what or when."""
        return self in _AUTHORITY

    @property
    def is_content(self) -> bool:
        """Whether it says what."""
        return self.value.startswith("content.") or self in _DATES


_DATES = {Rule.DELEGATION_DATES, Rule.CADENCE_DATES}

_AUTHORITY = {
    Rule.ROLE,
    Rule.BODY,
    Rule.AREA,
    Rule.FIELD,
    Rule.FOUR_EYES,
    Rule.CLOSED,
    Rule.DELEGATION_SELF,
    Rule.DELEGATION_AREA,
    Rule.DELEGATION_FIELD,
}


class Refusal(NamedTuple):
    """Which rule says no, and why."""

    rule: Rule
    detail: str


class RefusedError(Exception):
    """A command broke a rule and changed nothing."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule.value}: {detail}")
        self.rule, self.detail = rule, detail
