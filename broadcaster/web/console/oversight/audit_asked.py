"""What is asked of the audit log: the filters as they were typed, and what they find."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from broadcaster.proof import as_of
from broadcaster.web.console.moments import moment
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services
from projections.audit import view as audit
from schemas.areas import unaccented
from schemas.events import TOPICS

_MINUTE = timedelta(minutes=1)
_MOMENT = timedelta(microseconds=1)

_KINDS = {
    "rights": ("role", "access", "account", "key", "delegation"),
    "alerts": ("alert", "alert_screens"),
    "delivery": ("audience", "receipt", "dead_letter", "sms", "sms_budget", "push", "canary"),
    "handed": ("export", "evidence", "subscribers", "testers"),
    "refused": ("attempt",),
    "screens": ("screen", "screen_group"),
    "house": (
        "house",
        "issuer",
        "area_register",
        "area_boundaries",
        "area_set",
        "template",
        "cadence",
        "reminder",
    ),
}
GROUPS = {
    group: tuple(sorted(topic for topic in TOPICS if topic.partition(".")[0] in kinds))
    for group, kinds in _KINDS.items()
}
"""What an auditor asks for in one: who may do what, what was sent, who took what away."""


class Wanted(BaseModel):
    """The filters as they were typed; an empty one filters nothing. `topic` is one, or one of GROUPS."""

    model_config = ConfigDict(extra="ignore")

    account: Annotated[str, Field(max_length=120)] = ""
    body: Annotated[str, Field(max_length=120)] = ""
    topic: Annotated[str, Field(max_length=80)] = ""
    alert: Annotated[str, Field(max_length=60)] = ""
    since: Annotated[str, Field(max_length=40)] = ""
    until: Annotated[str, Field(max_length=40)] = ""
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, without the page."""
        typed = {name: str(value) for name, value in self.model_dump(exclude={"before"}).items()}
        return {name: kept for name, value in typed.items() if (kept := _plain(value))}

    @property
    def query(self) -> str:
        """The filters without the page, for links."""
        return urlencode(self.given)


@dataclass(frozen=True)
class Filters:
    """The filters as the view takes them."""

    alert_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    faults: tuple[Fault, ...] = ()


def read(wanted: Wanted) -> Filters:
    """What was typed, read; with what is wrong with it."""
    filters = Filters()
    faults: list[Fault] = []
    if wanted.alert.strip():
        try:
            filters = replace(filters, alert_id=UUID(wanted.alert.strip()))
        except ValueError:
            faults.append(Fault("alert", "invalid"))
    for name in ("since", "until"):
        try:
            filters = replace(filters, **{name: moment(getattr(wanted, name).strip())})
        except ValueError:
            faults.append(Fault(name, "date"))
    return replace(filters, faults=tuple(faults))


def find(services: Services, wanted: Wanted, filters: Filters, limit: int) -> list[audit.Entry]:
    """At most `limit` entries, the newest first."""
    log = services.ports.log
    # Instants never run back along the log, so a span of time is a span of positions.
    after = as_of.position_at(log, filters.since - _MOMENT)[0] if filters.since else None
    before = wanted.before
    if filters.until:
        last = as_of.position_at(log, filters.until + _MINUTE - _MOMENT)[0] + 1
        before = min(before, last) if before else last
    topic = _plain(wanted.topic)
    with services.reading() as conn:
        return audit.entries(
            conn,
            alert_id=filters.alert_id,
            account=_plain(wanted.account),
            body=_body(services, _plain(wanted.body)),
            topic=None if topic in GROUPS else topic,
            topics=GROUPS.get(topic or ""),
            after=after,
            before=before,
            limit=limit,
        )


def _body(services: Services, typed: str | None) -> str | None:
    """A body by its code, or by its name as it is now, whatever the accents and capitals."""
    bodies = services.directory.bodies()
    if typed is None or typed in bodies:
        return typed
    edition, plain = services.tree().edition, unaccented(typed)
    named = (
        code
        for code, body in bodies.items()
        if unaccented(body.as_of(services.now(), edition).name) == plain
    )
    return next(named, typed)


def _plain(text: str) -> str | None:
    return text.replace("\x00", "").strip() or None
