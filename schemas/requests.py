"""Request bodies of the HTTP API: shape and bounds only; who may do what is decided further in."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.cadence import CadencePolicy
from schemas.content import AreaCode, Clean, Content, Instant, in_utc
from schemas.displays import DISPLAYS
from schemas.events import Shown
from schemas.local_time import HANOI

Version = Annotated[int, Field(ge=1, le=1_000_000)]
BodyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
Reason = Annotated[str, Clean, StringConstraints(min_length=1, max_length=500)]
ScreenName = Annotated[str, Clean, StringConstraints(min_length=1, max_length=120)]


def _known(profile: str) -> str:
    if profile not in DISPLAYS:
        raise ValueError(f"no display {profile} is known; there are {', '.join(DISPLAYS)}")
    return profile


Profile = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$"), AfterValidator(_known)]

_CATEGORY = re.compile(r"[a-z0-9_-]{1,40}")


class Body(BaseModel):
    """What every request body has in common: a field that is not known is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _plain_category(content: Content) -> Content:
    # A code that is refused is quoted in the refusal, which is kept for ever: it must be harmless text.
    if _CATEGORY.fullmatch(content.category) is None:
        raise ValueError("category: must be 1 to 40 of a-z, 0-9, _ and -")
    return content


SaidContent = Annotated[Content, AfterValidator(_plain_category)]


class NewAlert(Body):
    """A draft. Without `issuer` it is of the body that the key speaks for."""

    issuer: BodyId | None = None
    content: SaidContent


class ChangedContent(Body):
    """The content of the version in work, or of the next one; it replaces the former whole."""

    content: SaidContent


class Returned(Body):
    """Why the version in work goes back to its authors."""

    reason: Reason


def _local(instant: datetime) -> datetime:
    # Staff think in the city's time: an instant without an offset is Hanoi's.
    return instant if instant.tzinfo else instant.replace(tzinfo=HANOI)


class Schedule(Body):
    """When the approved version goes out by itself. Without an offset it is the city's local time."""

    due_at: Annotated[datetime, AfterValidator(_local), AfterValidator(in_utc)]


class ProposedContent(Body):
    """The content of the next version; `corrects` says that what is out is wrong."""

    content: SaidContent
    corrects: bool = False


class Correction(Body):
    """The template whose approved words put it right."""

    template: UUID


class Rejection(Body):
    """Why the version in work is turned down for good."""

    reason: Reason


class Withdrawal(Body):
    """Why a live alert is withdrawn. One issued `in_error` does not count toward the cadence."""

    reason: Reason
    in_error: bool = False


def _once_each(codes: Sequence[str]) -> Sequence[str]:
    if len(set(codes)) != len(codes):
        raise ValueError("a code is named twice")
    return codes


class NewDelegation(Body):
    """A right to issue, for named categories, areas and dates.

    Without `grantor` it is given by the body that the key speaks for; without `starts_at` it holds
    at once. It holds until `ends_at`, and no longer at that instant.
    """

    grantor: BodyId | None = None
    grantee: BodyId
    fields: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")], ...],
        Field(min_length=1, max_length=100),
        AfterValidator(_once_each),
    ]
    areas: Annotated[tuple[AreaCode, ...], Field(min_length=1, max_length=700), AfterValidator(_once_each)]
    starts_at: Instant | None = None
    ends_at: Instant


class NewScreen(Body):
    """A screen at a place; `profile` names its display."""

    name: ScreenName
    area: AreaCode
    profile: Profile
    drills: bool = False
    """Whether it shows exercises and tests too."""


class ShownVersion(Body):
    """A version of an alert that a screen has on."""

    alert_id: UUID
    version: Version


class ScreenReport(Body):
    """What a screen shows now. What it has reported before is passed over."""

    shown: Annotated[tuple[ShownVersion, ...], Field(max_length=50)]

    @property
    def facts(self) -> tuple[Shown, ...]:
        """As the log has it."""
        return tuple(Shown(alert_id=one.alert_id, version=one.version) for one in self.shown)


class NewCadencePolicy(Body):
    """Terms of the duty to inform, whole; they hold from now where no instant is named."""

    policy: CadencePolicy
    effective_at: Instant | None = None
    reason: Reason


class NewExemption(Body):
    """A body is let off, from now where no beginning is named, until it is ended where no end is."""

    issuer_id: BodyId
    reason: Reason
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class DeviceAreas(Body):
    """Where a device lives, and the further areas it follows. Both are replaced."""

    home: AreaCode
    areas: Annotated[tuple[AreaCode, ...], Field(max_length=20)] = ()


class DeviceToken(Body):
    """A push token that was given anew."""

    token: Annotated[str, Field(min_length=1, max_length=4096, repr=False)]
    token_kind: Literal["token", "fid", "subscription"] = "token"  # noqa: S105 (names a kind)
    platform: Literal["android", "ios", "web"]


class DeviceReceipt(Body):
    """What a phone did with a version of an alert."""

    alert_id: UUID
    version: Version
    event: Literal["shown", "opened"]
