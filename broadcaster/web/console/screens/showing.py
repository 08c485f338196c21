"""What a screen shows now, for the pages of the console, and how it stands with us."""

from dataclasses import dataclass
from uuid import UUID

from broadcaster.web import screen_list, showing_now
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.screen_list import Listed
from broadcaster.web.services import Services
from broadcaster.web.showing_now import Now, Shot


@dataclass(frozen=True)
class Sight:
    """One screen on a page."""

    listed: Listed
    now: Now

    @property
    def screen(self) -> PlacedScreen:
        """The screen."""
        return self.listed.screen

    @property
    def shots(self) -> tuple[Shot, ...]:
        """Every page that it should show in its turn."""
        return self.now.shots

    @property
    def says(self) -> tuple[UUID, int] | None:
        """The alert and version that it says is on."""
        return self.listed.sighting.showing

    @property
    def differs(self) -> bool:
        """Whether it says it shows something that we do not serve it now."""
        return self.says is not None and self.says not in self.now.versions


def of(services: Services, screen: PlacedScreen) -> Sight:
    """The screen as it is now."""
    return sight(services, screen_list.one(services, screen))


def sight(services: Services, listed: Listed) -> Sight:
    """One of a list, as it is now."""
    return Sight(listed, showing_now.now_of(services, listed.screen))
