"""What holds now for the areas of one person, whichever edition of the register an alert speaks in."""

from collections.abc import Sequence

from broadcaster.web.services import Services
from projections.board import view as board
from projections.board.view import BoardRow


def live_in(services: Services, codes: Sequence[str], edition: str) -> list[BoardRow]:
    """Live alerts addressed to one of these areas or to one above it, the latest first; nothing over."""
    # An alert keeps the codes it was issued in, and those name other places in another edition.
    covering = services.ports.office.atlas().covering(codes, edition)
    now = services.now()
    with services.reading() as conn:
        rows = [
            row
            for named, here in covering.items()
            for row in board.live_for(conn, here)
            if row.edition == named and (row.expires_at is None or row.expires_at > now)
        ]
    return sorted(rows, key=lambda row: -row.position)
