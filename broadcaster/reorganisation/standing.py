"""What there is that a reorganisation touches, folded from the log."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from broadcaster.area_set import AreaSet
from broadcaster.issuer import Issuer
from broadcaster.log import AlertLog
from broadcaster.screen import Screen
from broadcaster.template import Template
from schemas.events import (
    AlertCancelled,
    AlertExpired,
    AlertIssued,
    AreaSetEvent,
    AreaSetRetired,
    AreaSetSaved,
    IssuerEvent,
    Recorded,
    ScreenEvent,
    TemplateApproved,
    TemplateEvent,
    TemplateRetired,
    TemplateSaved,
)
from schemas.events.base import topics

_TOPICS = topics(
    IssuerEvent, ScreenEvent, AreaSetEvent, TemplateEvent, AlertIssued, AlertCancelled, AlertExpired
)
_PAGE = 2000


@dataclass
class Standing:
    """Bodies, screens in service, area sets, templates and issued alerts that have not ended, by id."""

    bodies: dict[str, Issuer] = field(default_factory=dict[str, Issuer])
    screens: dict[UUID, Screen] = field(default_factory=dict[UUID, Screen])
    area_sets: dict[UUID, AreaSet] = field(default_factory=dict[UUID, AreaSet])
    templates: dict[UUID, Template] = field(default_factory=dict[UUID, Template])
    live: dict[UUID, AlertIssued] = field(default_factory=dict[UUID, AlertIssued])

    @classmethod
    def read(cls, log: AlertLog, at: datetime) -> "Standing":
        """As the log has it."""
        standing, position = cls(), 0
        while page := log.read(position, _PAGE, _TOPICS):
            for recorded in page:
                standing._fold(recorded)
            position = page[-1].position
        standing.live = {one: event for one, event in standing.live.items() if event.expires_at > at}
        return standing

    def _fold(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, IssuerEvent):
            self.bodies[event.issuer_id] = Issuer.fold(self.bodies.get(event.issuer_id), event)
        elif isinstance(event, ScreenEvent):
            screen = Screen.fold(self.screens.get(event.originator_id), event)
            self.screens[event.originator_id] = screen
            if screen.removed:
                del self.screens[event.originator_id]
        else:
            self._fold_saying(recorded)

    def _fold_saying(self, recorded: Recorded) -> None:
        event = recorded.event
        match event:
            case AreaSetSaved(area_set_id=area_set_id):
                self.area_sets[area_set_id] = AreaSet.fold(self.area_sets.get(area_set_id), event)
            case AreaSetRetired(area_set_id=area_set_id):
                self.area_sets.pop(area_set_id, None)
            case TemplateSaved() | TemplateApproved() | TemplateRetired():
                known = self.templates.get(event.template_id)
                self.templates[event.template_id] = Template.fold(known, event)
            case AlertIssued(originator_id=alert_id):
                self.live[alert_id] = event
            case AlertCancelled(originator_id=alert_id) | AlertExpired(originator_id=alert_id):
                self.live.pop(alert_id, None)
            case _:
                raise AssertionError(f"{event.TOPIC} was not asked for")
