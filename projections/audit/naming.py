"""What a line of the audit calls bodies, areas and other things: by code, unless someone knows the names.

The view keeps codes, which never change; names as of the event are put in where a line is shown.
"""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from projections.audit.line import Words

NOTHING = Words("", "")


class Names(Protocol):
    """The names that things had when an event was recorded."""

    def body(self, code: str) -> str:
        """A body."""
        ...

    def area(self, code: str, edition: str | None) -> str:
        """An area of an edition of the register; of the one in force then where none is named."""
        ...

    def areas(self, codes: Collection[str], edition: str | None) -> Words:
        """Some areas by name, to stand behind their number, in brackets; or nothing."""
        ...

    def things(self, ids: Collection[UUID]) -> Words:
        """The same of screens, groups of them, templates, sets of areas or alerts."""
        ...

    def grantor(self, delegation_id: UUID) -> Words:
        """The body that gave a delegation, to stand behind its id; or nothing."""
        ...


class Codes:
    """Knows no names."""

    def body(self, code: str) -> str:
        """The code."""
        return code

    def area(self, code: str, edition: str | None) -> str:
        """The code."""
        del edition
        return code

    def areas(self, codes: Collection[str], edition: str | None) -> Words:
        """Nothing."""
        del codes, edition
        return NOTHING

    def things(self, ids: Collection[UUID]) -> Words:
        """Nothing."""
        del ids
        return NOTHING

    def grantor(self, delegation_id: UUID) -> Words:
        """Nothing."""
        del delegation_id
        return NOTHING


CODES = Codes()
