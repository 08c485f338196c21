"""Renders the feeds that a page of the log changed."""

from collections.abc import Sequence

from projections.feeds import store, tables
from projections.feeds.board import Board, Touch
from projections.feeds.drawn import Artist, Drawn
from projections.feeds.places import Edition
from projections.feeds.render import Heading, etag, frame_names, render_feed
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

    def __init__(self, artist: Artist, epoch: int = 1) -> None:
        """`epoch` goes up by one when an older copy of the log was put in place of a newer one."""
        self._artist, self._epoch = artist, epoch

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
    ddl = tables.DDL
    tables: tuple[str, ...] = tables.TABLES

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds the page into the board, then renders what it touched."""
        if not page:
            return
        page = list(page)
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
        drawn = Drawn(self._artist)
        store.save_feeds(tx.cursor, _render(board, drawn, self._epoch), dropped)
        if board.touched:
            store.save_frames(tx.cursor, drawn.frames)


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


def _render(board: Board, drawn: Drawn, epoch: int) -> list[store.Feed]:
    feeds: list[store.Feed] = []
    for pair, (live, gone) in board.contents().items():
        seq = board.touched[pair].position
        shown = [drawn.item(notice, pair.profile) for notice in live]
        idle = drawn.idle(pair.profile)
        body = render_feed(Heading(epoch, seq, *pair), shown, gone, idle)
        frames = " ".join(sorted({idle["frame"], *frame_names(shown)}))
        feeds.append((pair, seq, etag(body), body, frames))
    return feeds
