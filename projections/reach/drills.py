"""Which alerts are not meant: exercises and tests. What came of them is told by themselves, in no total.

Taken from the issue, not from the audience: an exercise on screens alone has no audience.
"""

from collections.abc import Iterable

from projections.projection import Transaction
from schemas.content import Mode
from schemas.events import AlertIssued

DRILLS_DDL = """
CREATE TABLE IF NOT EXISTS reach_drills (
    alert_id uuid PRIMARY KEY
);
"""
# An alert keeps its mode through all its versions, so the first one decides.
_NOTE = "INSERT INTO reach_drills SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING"


def note(tx: Transaction, issued: Iterable[AlertIssued]) -> None:
    """Those among the alerts of a page."""
    drills = {event.originator_id for event in issued if event.content.mode is not Mode.ACTUAL}
    if drills:
        tx.cursor.execute(_NOTE, (sorted(drills),))
