"""Files that leave the house: the log knows of each before anyone has it.

A page that is looked at is no export, nor is what anyone may read without saying who they are.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from broadcaster.log import AlertLog
from schemas.events import Actor, Exported, ExportMade


class Export(NamedTuple):
    """What is about to be handed out."""

    what: Exported
    form: str
    """Of the file: jsonl, csv, xlsx, html, json."""
    filters: Mapping[str, str] = {}
    """What was asked for, by the names of the parameters; never a person."""
    upto: int | None = None
    """The last position it tells of; None where it follows a view."""
    alert_id: UUID | None = None


def record(log: AlertLog, export: Export, file: bytes | None, *, by: Actor, at: datetime) -> int:
    """Records it, and answers the event's position. `file` is None where it is written as it is read."""
    event = ExportMade(
        originator_id=uuid4(),
        originator_version=1,
        by=by,
        what=export.what,
        form=export.form,
        filters=dict(sorted(export.filters.items())),
        upto=export.upto,
        sha256=None if file is None else hashlib.sha256(file).hexdigest(),
        alert_id=export.alert_id,
    )
    return log.append([event], at=at)
