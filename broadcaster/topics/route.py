"""By which road an emergency's push goes: to each phone by its token, or by FCM topics where they fit.

What holds when the first version of an alert is issued is the alert's, for all its versions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.topics.book import Standing, TopicBook
from schemas.events import Actor, PushRouteChosen, Route
from schemas.ids import ROUTE_STREAM


@dataclass(frozen=True)
class PushRoute:
    """What was chosen last; tokens where nothing ever was."""

    route: Route = "tokens"
    version: int = 0

    @staticmethod
    def fold(state: "PushRoute", event: PushRouteChosen) -> "PushRoute":
        """The choice after the event."""
        del state
        return PushRoute(event.route, event.originator_version)

    def choose(
        self, by: Actor, route: Route, reason: str, standing: Callable[[], Standing | None]
    ) -> PushRouteChosen:
        """Another choice. Raises RefusedError where it is no other, or topics are not fit to be sent by.

        `standing` is asked for topics only; None: none are kept.
        """
        if route == self.route:
            raise RefusedError(Rule.STATE, f"push goes by {route} already")
        if route == "topics":
            _check(standing())
        return PushRouteChosen(
            originator_id=ROUTE_STREAM,
            originator_version=self.version + 1,
            by=by,
            route=route,
            reason=reason,
        )


def _check(standing: Standing | None) -> None:
    if standing is None:
        raise RefusedError(Rule.STATE, "no topics are kept: BROADCASTER_PUSH_TOPICS is not set")
    if standing.out:
        because = f", and the service refuses our calls: {standing.halted}" if standing.halted else ""
        raise RefusedError(
            Rule.STATE, f"topics are out of step with the registry by {standing.out} phones{because}"
        )
    if not standing.members:
        raise RefusedError(Rule.STATE, "nobody is in any topic")


class RouteCommands:
    """What the operator does about the road. A refusal changes nothing and is an event."""

    def __init__(self, office: Office, book: TopicBook) -> None:
        self._office, self._book = office, book

    def now(self) -> PushRoute:
        """What holds now."""
        return self._office.log.forward(ROUTE_STREAM, PushRoute.fold, PushRoute())

    def choose(self, by: Actor, route: Route, reason: str, *, at: datetime) -> PushRouteChosen:
        """Chooses the road of alerts issued from now on. Raises RefusedError."""

        def standing() -> Standing | None:
            return self._book.standing(at) if self._book.wanted else None

        def attempt() -> PushRouteChosen:
            event = self.now().choose(by, route, reason, standing)
            self._office.log.append([event], at=at)
            return event

        with self._office.refusals(by, "choose push route", at):
            return deciding.insist(attempt, "the push route is")
