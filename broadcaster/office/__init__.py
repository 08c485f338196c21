"""What every command shares: the authority it checks against the records, the refusal it notes."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.delegation import Rights
from broadcaster.issuer import Issuer
from broadcaster.log import AlertLog
from broadcaster.office.attachments import Lookup, check_named
from broadcaster.office.records import Records
from broadcaster.office.refused import RefusalCount
from broadcaster.reference import Category
from broadcaster.rules import RefusedError, Rule
from broadcaster.succession import answering, closed, inherited
from schemas.content import Content, Kind
from schemas.events import Actor, AttemptRefused
from schemas.ids import issuer_stream

LONGEST_LIFE = timedelta(days=30)
"""An alert that should stand longer is issued again, by someone who looked at it again."""


class Office(Records):
    """The records, and who may do what by them.

    `sender_domain` completes CAP's sender, `<issuer>@<domain>`; `public_url` is what others reach us by;
    `attachments` finds the files that a content names.
    """

    def __init__(
        self,
        log: AlertLog,
        categories: Mapping[str, Category],
        sender_domain: str,
        public_url: str,
        attachments: Lookup = lambda _: {},
    ) -> None:
        super().__init__(log)
        self._attachments = attachments
        self.categories = categories
        self._domain, self._public_url = sender_domain, public_url
        self._refused = RefusalCount()

    def body(self, issuer_id: str, at: datetime) -> Issuer:
        """The body as it is at an instant. Raises UnknownStreamError."""
        return self.issuer(issuer_id).as_of(at, self.edition(at).name)

    def open_body(self, issuer_id: str, at: datetime) -> Issuer:
        """The same; refused where it is closed."""
        body = self.body(issuer_id, at)
        if body.closed(at):
            raise closed(body)
        return body

    def rights(self, issuer_id: str, at: datetime) -> Rights:
        """The body's own rights with those it inherited and those delegated to it.

        Raises UnknownStreamError.
        """
        own = self.body(issuer_id, at)
        before = inherited(lambda name: self.body(name, at), own, at)
        return Rights(own, self.delegations(issuer_id), before)

    def answering(self, issuer_id: str, at: datetime) -> tuple[Issuer, ...]:
        """The open bodies that answer for it: itself, or its successors. Raises UnknownStreamError."""
        return answering(lambda name: self.body(name, at), issuer_id, at)

    def acting(self, account: str, issuer_id: str, roles: tuple[Role, ...], at: datetime) -> str:
        """The open body for which the account may do what is the body's to do.

        It is the body itself, or whoever answers for it once it is closed. Roles do not pass by
        themselves: the account needs one at that body.
        """
        holder = self.account(account)
        if not self.log.has(issuer_stream(issuer_id)):
            holder.check(issuer_id, *roles)  # Nobody holds a role for a body that was never registered.
        heirs = [body.issuer_id for body in self.answering(issuer_id, at)]
        able = [heir for heir in heirs if any((heir, role) in holder.roles for role in roles)]
        if able:
            return able[0]
        if issuer_id not in heirs and (not heirs or any(body == issuer_id for body, _ in holder.roles)):
            raise closed(self.body(issuer_id, at))
        held = [heir for heir in heirs if any(body == heir for body, _ in holder.roles)]
        holder.check((held or heirs)[0], *roles)
        raise AssertionError("an account without the role passed its check")

    def check_edition(self, edition: str, at: datetime) -> None:
        """Refuses what is addressed by the codes of another edition: they may name other places now."""
        current = self.edition(at).name
        if edition != current:
            raise RefusedError(
                Rule.EDITION,
                f"areas: written in codes of edition {edition}, and {current} is in force; "
                "write it again in its codes",
            )

    def check(
        self,
        by: Actor,
        issuer_id: str,
        roles: tuple[Role, ...],
        content: Content | None,
        at: datetime,
    ) -> str:
        """Who may do it, and whether the body may say it. Answers the body that acts (see `acting`)."""
        body = self.acting(by.account, issuer_id, roles, at)
        if content is not None:
            self.check_said(body, content, at)
        return body

    def speaker(self, issuer_id: str, at: datetime) -> str:
        """The body that speaks where nobody asks: itself, or the first of those that answer for it."""
        heirs = self.answering(issuer_id, at)
        if not heirs:
            raise closed(self.body(issuer_id, at))
        return heirs[0].issuer_id

    def check_said(self, body: str, content: Content, at: datetime) -> None:
        """Whether the body may say it now: its rights, and the rules on what is said."""
        category = self.categories.get(content.category)
        if category is None:
            raise RefusedError(Rule.UNKNOWN_CATEGORY, f"category: there is no {content.category}")
        refusal = self.rights(body, at).may(content, self.edition(at).tree, at)
        if refusal is not None:
            raise RefusedError(*refusal)
        check_content(content, category, at)
        check_named(content.attachments, self._attachments)

    def standing_on(self, body: str, content: Content, at: datetime) -> UUID | None:
        """The delegation that what the body may say stands on; None where its own rights are enough."""
        given = self.rights(body, at).standing_on(content, self.edition(at).tree, at)
        return given and given.id

    def sender(self, issuer_id: str) -> str:
        """CAP's sender of a body."""
        return f"{issuer_id}@{self._domain}"

    def page(self, alert_id: UUID) -> str:
        """The public address of an alert."""
        return f"{self._public_url}/alerts/{alert_id}"

    @contextmanager
    def refusals(
        self,
        by: Actor,
        command: str,
        at: datetime,
        *,
        alert_id: UUID | None = None,
        issuer_id: str | None = None,
    ) -> Generator[None]:
        """Records a refusal raised inside as an event of its own stream, and lets it go on.

        One event may stand for many: see `RefusalCount`.
        """
        try:
            yield
        except RefusedError as refusal:
            times = self._refused.count(by.account, command, refusal.rule, at)
            if times == 0:
                raise
            event = AttemptRefused(
                originator_id=uuid4(),
                originator_version=1,
                by=by,
                command=command,
                rule=refusal.rule,
                detail=refusal.detail,
                alert_id=alert_id,
                issuer_id=issuer_id,
                times=times,
            )
            self.log.append([event], at=at)
            raise


def check_content(content: Content, category: Category, at: datetime) -> None:
    """Rules on what is said. Risk levels are for natural hazards only (Decision 18/2021/QĐ-TTg art. 4)."""
    if content.risk_level is not None and not category.natural_hazard:
        raise RefusedError(Rule.RISK_LEVEL, f"risk_level: {category.code} is not a natural hazard")
    if content.risk_level is None and category.natural_hazard and content.kind is Kind.ALERT:
        raise RefusedError(
            Rule.RISK_LEVEL, f"risk_level: an alert of {category.code} states its level, 1 to 5"
        )
    if content.expires_at is not None and not at < content.expires_at <= at + LONGEST_LIFE:
        raise RefusedError(
            Rule.EXPIRY,
            f"expires_at: {content.expires_at.isoformat()} is not within {LONGEST_LIFE.days} days from now",
        )
