"""Events of the boundaries that the operator loads for the maps."""

from typing import Annotated

from pydantic import Field

from schemas.events.base import Event


class AreaBoundariesLoaded(Event, topic="area_boundaries.loaded"):
    """Maps draw communes of an edition by their boundaries, in place of whatever was loaded before."""

    edition: str
    areas: Annotated[int, Field(ge=1)]
    """Communes that the file had; the others keep their circles."""
    file_sha256: str
    """Of the file as it was given."""
    outlines_sha256: str
    """Of what was made of it, which is what is drawn."""


class AreaBoundariesRemoved(Event, topic="area_boundaries.removed"):
    """Maps draw the communes of an edition as circles again."""

    edition: str
    outlines_sha256: str


BoundariesEvent = AreaBoundariesLoaded | AreaBoundariesRemoved
