"""Request bodies of what screens and those who pair them say."""

from datetime import time
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from schemas.content import AreaCode, Instant
from schemas.requests import Body, Profile, ScreenName, Version


class PairingPoll(Body):
    """A panel's poll for its key."""

    device_code: Annotated[str, StringConstraints(min_length=1, max_length=100), Field(repr=False)]


class StandingAsked(Body):
    """A screen's question about its key, of which it names the part that is no secret."""

    key_id: Annotated[str, StringConstraints(pattern="^[0-9a-z]{1,32}$")]
    nonce: Annotated[str, StringConstraints(pattern="^[0-9A-Za-z_-]{16,64}$")]
    """Drawn anew for each question."""


class PairingClaim(Body):
    """The code a panel shows, for a new screen at a place, or for the screen whose box was changed."""

    code: Annotated[str, StringConstraints(min_length=8, max_length=20)]
    """Case, blanks and hyphens do not matter."""
    screen_id: UUID | None = None
    """The screen that gets another box; it keeps its name, its place and its history."""
    name: ScreenName | None = None
    area: AreaCode | None = None
    profile: Profile | None = None
    drills: bool = False
    """Whether it shows exercises and tests too."""
    opens: time | None = None
    """Local. Beyond its hours, silence is no fault; with none, it is on all day."""
    closes: time | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        place = (self.name, self.area, self.profile)
        rest = self.drills or self.opens is not None or self.closes is not None
        if self.screen_id is None and None in place:
            raise ValueError("name, area and profile, or screen_id")
        if self.screen_id is not None and (rest or any(part is not None for part in place)):
            raise ValueError("screen_id alone: the screen keeps its place")
        if (self.opens is None) != (self.closes is None):
            raise ValueError("opens and closes, or neither")
        if any(hour is not None and hour.tzinfo is not None for hour in (self.opens, self.closes)):
            raise ValueError("opens and closes are local times, without an offset")
        return self


class PlayCount(Body):
    """How often a version of an alert was on since the last batch, and for how long in all."""

    alert_id: UUID
    version: Version
    plays: Annotated[int, Field(ge=0, le=1_000_000)]
    """How often it came on; 0 where it was on all the time."""
    seconds: Annotated[int, Field(ge=0, le=31_536_000)]
    first_at: Instant
    last_at: Instant


class PlayBatch(Body):
    """Plays since the last batch; one that is sent again under its id counts once."""

    batch: UUID
    plays: Annotated[tuple[PlayCount, ...], Field(min_length=1, max_length=200)]
