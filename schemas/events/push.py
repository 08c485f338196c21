"""Events of push alone: by which road it goes, and what stands in the way of topics."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.events.base import Event

Route = Literal["tokens", "topics"]


class PushRouteChosen(Event, topic="push.route_chosen"):
    """From here on the first version of an emergency goes to each phone by its token, or by topics."""

    route: Route
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class PushTopicsHalted(Event, topic="push.topics_halted"):
    """Google refuses the calls that keep topics in step; one event until it takes them again."""

    reason: str
    """HTTP_403, say."""


PushEvent = PushRouteChosen | PushTopicsHalted
