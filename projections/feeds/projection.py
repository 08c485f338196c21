"""Renders the feeds that a page of the log changed."""

from collections.abc import Sequence
from uuid import UUID

from projections.feeds import store
from projections.feeds.board import Board, Touch
from projections.feeds.places import Edition
from projections.feeds.render import Item, etag, render_feed, render_item
from projections.projection import Transaction
from schemas.events import (
    AlertCancelled,
    AlertExpired,
    AlertIssued,
    AreaRegisterAdopted,
    Recorded,
    ScreenMoved,
    ScreenRegistered,
    ScreenRemoved,
)


class Feeds:
    """A feed for each pair of area and profile that has a screen.

    It holds the live alerts of the area and of all above it, never of an area below. NOTIFY feeds
    names each area that changed. A change high in the tree renders every pair below once a page.
    """

    name = "feeds"
    topics = frozenset(
        {
            AreaRegisterAdopted.TOPIC,
            ScreenRegistered.TOPIC,
            ScreenMoved.TOPIC,
            ScreenRemoved.TOPIC,
            AlertIssued.TOPIC,
            AlertCancelled.TOPIC,
            AlertExpired.TOPIC,
        }
    )
    ddl = store.DDL
    tables: tuple[str, ...] = store.TABLES

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds the page into the board, then renders what it touched."""
        if not page:
            return
        screens = {
            event.originator_id
            for _, _, event in page
            if isinstance(event, ScreenRegistered | ScreenMoved | ScreenRemoved)
        }
        board = store.load(tx.cursor, page[0].recorded_at, screens)
        adopted = [edition for recorded in page if (edition := _fold(board, recorded))]
        store.save_editions(tx.cursor, adopted)
        store.save_screens(tx.cursor, board, screens)
        store.save_notices(tx.cursor, board)
        dropped = [pair for pair in board.touched if pair not in board.screens.pairs]
        store.save_feeds(tx.cursor, _render(board), dropped)


def _fold(board: Board, recorded: Recorded) -> Edition | None:
    """Folds one event; answers the edition it adopted."""
    event = recorded.event
    touch = Touch(recorded.position, recorded.recorded_at)
    match event:
        case AreaRegisterAdopted():
            return board.places.adopt(event)
        case ScreenRegistered():
            board.put_screen(event, touch)
        case ScreenMoved():
            board.move_screen(event, touch)
        case ScreenRemoved():
            board.take_screen(event.originator_id, touch)
        case AlertIssued():
            board.issue(event, touch)
        case AlertCancelled():
            board.cancel(event, touch)
        case AlertExpired():
            board.expire(event, touch)
        case _:
            pass
    return None


def _render(board: Board) -> list[store.Feed]:
    items: dict[tuple[UUID, str], Item] = {}
    feeds: list[store.Feed] = []
    for pair, (live, gone) in board.contents().items():
        for notice in live:
            key = (notice.alert_id, pair.profile)
            if key not in items:
                items[key] = render_item(notice, pair.profile)
        seq = board.touched[pair].position
        shown = [items[notice.alert_id, pair.profile] for notice in live]
        body = render_feed(pair.area, pair.profile, seq, shown, gone)
        feeds.append((pair, seq, etag(body), body))
    return feeds
