"""What was set of every screen, folded from the log and kept in memory; thread-safe.

From it comes a screen's overlay: what its feed has that the feed of its area has not. An overlay's
`seq` is the position of the last event that changed it, so a feed made of both never goes back.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from broadcaster.log import AlertLog
from broadcaster.screen_control import Exclusions, ScreenControl
from broadcaster.screen_group import ScreenGroup
from schemas.events import (
    AlertScreensEvent,
    DisplaySetting,
    Recorded,
    ScreenControlEvent,
    ScreenGroupEvent,
)
from schemas.events.base import topics

_TOPICS = topics(ScreenControlEvent)
_PAGE = 2000
_NOTHING = ScreenControl(UUID(int=0))


@dataclass(frozen=True)
class Pattern:
    """A test pattern that is on; `seq` is the position of the event that asked for it."""

    seq: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Overlay:
    """What one screen's feed has of its own; screens with equal overlays share a feed."""

    seq: int
    setting: DisplaySetting = field(default_factory=DisplaySetting)
    excluded: frozenset[UUID] = field(default=frozenset())
    """Alerts that it does not show."""
    pattern: Pattern | None = None


@dataclass
class _Known:
    """What a reading of the log comes to; copied before it is changed."""

    controls: dict[UUID, ScreenControl] = field(default_factory=dict[UUID, ScreenControl])
    groups: dict[UUID, ScreenGroup] = field(default_factory=dict[UUID, ScreenGroup])
    exclusions: dict[UUID, Exclusions] = field(default_factory=dict[UUID, Exclusions])
    patterns: dict[UUID, Pattern] = field(default_factory=dict[UUID, Pattern])
    settings: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """By group, the position of its last setting."""
    touched: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """By screen, the position of the last event that was about it."""

    def copy(self) -> "_Known":
        return _Known(
            dict(self.controls),
            dict(self.groups),
            dict(self.exclusions),
            dict(self.patterns),
            dict(self.settings),
            dict(self.touched),
        )

    def fold(self, recorded: Recorded) -> None:
        position, at, event = recorded
        if isinstance(event, ScreenGroupEvent):
            before = self.groups.get(event.group_id)
            after = self.groups[event.group_id] = ScreenGroup.fold(before, event)
            self._touch(position, after.screens | (before.screens if before else frozenset()))
            if before is not None and after.setting != before.setting:
                self.settings[after.id] = position
        elif isinstance(event, AlertScreensEvent):
            known = self.exclusions.get(event.alert_id, Exclusions(event.alert_id))
            self.exclusions[event.alert_id] = known.after(event)
            self._touch(position, event.screens)
            for group_id in event.groups:
                group = self.groups.get(group_id)
                self._touch(position, group.screens if group else ())
        elif isinstance(event, ScreenControlEvent):
            control = self.controls.get(event.screen_id, ScreenControl(event.screen_id)).after(event)
            if control.pattern_until != self.controls.get(event.screen_id, _NOTHING).pattern_until:
                assert control.pattern_until is not None
                self.patterns[event.screen_id] = Pattern(position, at, control.pattern_until)
            self.controls[event.screen_id] = control
            self._touch(position, (event.screen_id,))

    def _touch(self, position: int, screens: Iterable[UUID]) -> None:
        self.touched.update(dict.fromkeys(screens, position))

    def groups_of(self) -> dict[UUID, list[ScreenGroup]]:
        """By screen, the groups it is in, the one set last at the end."""
        found: defaultdict[UUID, list[ScreenGroup]] = defaultdict(list)
        kept = (group for group in self.groups.values() if not group.retired)
        for group in sorted(kept, key=lambda one: (self.settings.get(one.id, 0), str(one.id))):
            for screen_id in group.screens:
                found[screen_id].append(group)
        return dict(found)

    def excluded(self) -> dict[UUID, set[UUID]]:
        """By screen, the alerts that leave it out."""
        found: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for one in self.exclusions.values():
            for screen_id in self.left_out(one):
                found[screen_id].add(one.alert_id)
        return found

    def left_out(self, one: Exclusions) -> set[UUID]:
        """The screens that an alert leaves out, its groups' among them."""
        found = set(one.screens)
        for group_id in one.groups:
            group = self.groups.get(group_id)
            if group is not None and not group.retired:
                found |= group.screens
        return found


class ScreenBook:
    """Reads on from where it left off."""

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._known = _Known()
        self._groups_of: dict[UUID, list[ScreenGroup]] = {}
        self._excluded: dict[UUID, set[UUID]] = {}
        self.revision = 0
        """Rises with every change."""

    def refresh(self) -> None:
        """Reads what is new. Raises psycopg's errors."""
        with self._lock:
            # The head goes first: what the reads then leave out up to there is of other topics.
            head, position, known = self._log.head(), self._position, self._known
            while page := self._log.read(position, _PAGE, _TOPICS):
                known = known.copy() if known is self._known else known
                for recorded in page:
                    known.fold(recorded)
                position = page[-1].position
            if known is not self._known:
                # Swapped whole, so that who reads the former is not disturbed.
                self._groups_of, self._excluded = known.groups_of(), known.excluded()
                self._known = known
                self.revision += 1
            self._position = max(head, position)

    def control(self, screen_id: UUID) -> ScreenControl:
        """What is set of a screen."""
        return self._known.controls.get(screen_id) or ScreenControl(screen_id)

    def groups(self) -> Mapping[UUID, ScreenGroup]:
        """Every group, the retired among them."""
        return MappingProxyType(self._known.groups)

    def groups_of(self, screen_id: UUID) -> list[ScreenGroup]:
        """The groups a screen is in; where they differ, the last says what holds."""
        return self._groups_of.get(screen_id, [])

    def exclusions(self, alert_id: UUID) -> Exclusions:
        """What an alert leaves out, as it was said."""
        return self._known.exclusions.get(alert_id) or Exclusions(alert_id)

    def left_out(self, alert_id: UUID) -> set[UUID]:
        """The screens that it leaves out, its groups' among them."""
        return self._known.left_out(self.exclusions(alert_id))

    def setting(self, screen_id: UUID) -> DisplaySetting:
        """What holds for a screen: its own, and where that is open, its groups'."""
        chain = [self.control(screen_id).setting]
        chain += [group.setting for group in reversed(self.groups_of(screen_id))]
        return merged(chain)

    def overlay(self, screen_id: UUID, at: datetime) -> Overlay | None:
        """What its feed has of its own; None where nothing ever was."""
        touched = self._known.touched.get(screen_id)
        if touched is None:
            return None
        pattern = self._known.patterns.get(screen_id)
        return Overlay(
            touched,
            self.setting(screen_id),
            frozenset(self._excluded.get(screen_id, ())),
            pattern if pattern and max(at, pattern.since) < pattern.until else None,
        )

    def overlays(self, at: datetime) -> dict[UUID, Overlay]:
        """The overlay of every screen that has one."""
        made = ((screen_id, self.overlay(screen_id, at)) for screen_id in self._known.touched)
        return {screen_id: overlay for screen_id, overlay in made if overlay}


def merged(chain: Iterable[DisplaySetting]) -> DisplaySetting:
    """The first word on brightness, and the first on quiet hours."""
    brightness, quiet = None, DisplaySetting()
    for one in chain:
        if brightness is None:
            brightness = one.brightness
        if quiet.quiet_from is None:
            quiet = one
    return quiet.model_copy(update={"brightness": brightness})
