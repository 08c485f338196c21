"""What the API answers about what operators made of screens."""

from datetime import time
from uuid import UUID

from broadcaster.screen_control import Exclusions, ScreenControl
from broadcaster.screen_group import ScreenGroup
from broadcaster.screens.sightings import Contact
from broadcaster.web.api.models import Answer, Instant
from schemas.events import DisplaySetting, ScreenKind


class DisplayAnswer(Answer):
    """Brightness and quiet hours; null where nothing is said."""

    brightness: int | None
    quiet_from: time | None
    quiet_until: time | None
    hides_emergencies: bool


class ScreenControlAnswer(Answer):
    """What is set of one screen."""

    screen_id: UUID
    kind: ScreenKind | None
    latitude: float | None
    longitude: float | None
    display: DisplayAnswer
    """Its own."""
    holds: DisplayAnswer
    """What holds with its groups."""
    groups: list[UUID]
    pattern_until: Instant | None


class ScreenGroupAnswer(Answer):
    """A group of screens."""

    id: UUID
    name: str
    issuer: str
    screens: list[UUID]
    display: DisplayAnswer
    retired: bool


class ScreenGroupPage(Answer):
    """Groups of screens."""

    groups: list[ScreenGroupAnswer]


class AlertScreensAnswer(Answer):
    """The screens that an alert leaves out, as it was said, and all whom that comes to."""

    alert_id: UUID
    screens: list[UUID]
    groups: list[UUID]
    left_out: list[UUID]


class FramePage(Answer):
    """One page that a screen shows in turn."""

    alert_id: UUID | None
    """Null while it has nothing to tell."""
    version: int | None
    lines: list[str]
    frame: str
    """`/v1/frames/<frame>.png` is the very picture."""
    ms: int


class Play(Answer):
    """How often a version was on."""

    alert_id: UUID
    version: int
    plays: int
    seconds: int
    first_at: Instant
    last_at: Instant


class FirstShown(Answer):
    """When a version was first reported as shown."""

    alert_id: UUID
    version: int
    shown_at: Instant


class ScreenNow(Answer):
    """One screen as it is now: what we serve it, beside what it says."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    contact: Contact
    last_seen: Instant | None
    offline_since: Instant | None
    """The alarm: it is silent within its hours, for more than five minutes."""
    opens: time | None
    closes: time | None
    serves: list[FramePage]
    says_alert: UUID | None
    says_version: int | None
    agrees: bool | None
    """Whether it says it shows something that we serve it now; null where it says nothing."""
    faults: int
    plays: list[Play]
    first_shown: list[FirstShown]
    control: ScreenControlAnswer


def display_answer(setting: DisplaySetting) -> DisplayAnswer:
    """A setting."""
    return DisplayAnswer(
        brightness=setting.brightness,
        quiet_from=setting.quiet_from,
        quiet_until=setting.quiet_until,
        hides_emergencies=setting.hides_emergencies,
    )


def control_answer(
    control: ScreenControl, holds: DisplaySetting, groups: list[ScreenGroup]
) -> ScreenControlAnswer:
    """What is set of a screen."""
    return ScreenControlAnswer(
        screen_id=control.screen_id,
        kind=control.kind,
        latitude=control.spot and control.spot.latitude,
        longitude=control.spot and control.spot.longitude,
        display=display_answer(control.setting),
        holds=display_answer(holds),
        groups=[group.id for group in groups],
        pattern_until=control.pattern_until,
    )


def group_answer(group: ScreenGroup) -> ScreenGroupAnswer:
    """A group."""
    return ScreenGroupAnswer(
        id=group.id,
        name=group.name,
        issuer=group.issuer_id,
        screens=sorted(group.screens),
        display=display_answer(group.setting),
        retired=group.retired,
    )


def exclusions_answer(found: Exclusions, left_out: set[UUID]) -> AlertScreensAnswer:
    """What an alert leaves out."""
    return AlertScreensAnswer(
        alert_id=found.alert_id,
        screens=sorted(found.screens),
        groups=sorted(found.groups),
        left_out=sorted(left_out),
    )
