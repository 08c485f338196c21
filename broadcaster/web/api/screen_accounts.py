"""On how many of the screens that have an alert it was shown, and which were left out of it."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from broadcaster.alert_state import Issued
from broadcaster.web.api.reach_models import ExcludedScreen, ScreensAccount
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.services import Services
from projections.reach import view as reach
from schemas.areas import AreaTree
from schemas.content import Channel, Mode


def screens_shown(
    services: Services, tree: AreaTree, issued: Issued, alert_id: UUID, showings: Iterable[reach.Showing]
) -> list[ScreensAccount]:
    """How many of the screens with the version in their feed showed it, by area; the excluded apart."""
    standing, out = _covered(services, tree, issued), services.book.left_out(alert_id)
    has = {screen.id: screen.area for screen in standing if screen.id not in out}
    shown = {one.screen_id for one in showings if one.version == issued.version}
    all_of, shown_of = Counter(has.values()), Counter(has[one] for one in shown if one in has)
    without = Counter(screen.area for screen in standing if screen.id in out)
    return [
        ScreensAccount(
            version=issued.version,
            code=code,
            name=tree[code].name if code in tree else code,
            shown=shown_of[code],
            screens=all_of[code],
            excluded=without[code],
        )
        for code in sorted(all_of | without)
    ]


def screens_excluded(
    services: Services, tree: AreaTree, issued: Issued, alert_id: UUID
) -> list[ExcludedScreen]:
    """The screens for which it is that do not show it, because someone said so."""
    out = services.book.left_out(alert_id)
    return [
        ExcludedScreen(screen_id=screen.id, name=screen.name, code=screen.area)
        for screen in sorted(_covered(services, tree, issued), key=lambda one: (one.name, one.id))
        if screen.id in out
    ]


def _covered(services: Services, tree: AreaTree, issued: Issued) -> list[PlacedScreen]:
    """The screens in service for which it is."""
    if Channel.LED not in issued.content.reaches:
        return []
    drill = issued.content.mode is not Mode.ACTUAL
    return [
        screen
        for screen in services.directory.screens().values()
        if screen.edition == tree.edition
        and screen.area in tree
        and (screen.drills or not drill)
        and any(tree.covers(code, screen.area) for code in issued.content.areas)
    ]
