"""What was typed when the session had ended: sealed, in the page that asks to sign in.

Nothing of it is stored with us. The page shows nothing of it either: who sits down at a computer that
someone left finds a sign-in page. It opens with the house's key alone, for the account that typed it.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from broadcaster.web.console.form import Form, shown_to
from broadcaster.web.console.refill import NEVER
from broadcaster.web.services import Services

FIELD = "kept"
"""The hidden field that carries it."""
LASTS = timedelta(days=1)
"""Older than this it is not shown again."""

_SEALED = "kept form"
_HIDDEN = frozenset({"version", "expected", "overwrite", "number", "nonce", "do", "body", "back", "stop"})
"""What the page itself filled in; alone it is nothing typed."""
_NOT_KEPT = re.compile(r"/console/((account|sign-in|sign-out|welcome|sso|kept)(/.*)?|drafts/.*/autosave)")
"""Passwords and sessions; and what a script sends, which keeps it on its own page."""


@dataclass(frozen=True)
class Kept:
    """A form that was posted, and not taken."""

    account: str
    """Whom its page was shown to."""
    path: str
    """Where it was posted to."""
    at: datetime
    form: Form

    @property
    def written(self) -> Mapping[str, Sequence[str]]:
        """What was typed or chosen, without what is empty and what the page filled in itself."""
        found = {name: [each for each in many if each.strip()] for name, many in self.form.values.items()}
        return {name: many for name, many in found.items() if many and name not in _HIDDEN}

    @property
    def rows(self) -> Sequence[tuple[str, str]]:
        """The same to be read and copied: what took most typing first."""
        said = [(name, "\n".join(many)) for name, many in self.written.items()]
        return sorted(said, key=lambda row: -len(row[1]))


def of(services: Services, request: Request, form: Form, *, by: str | None = None) -> Kept | None:
    """What is to be kept of a form; None where nothing was typed, or no page of ours was behind it.

    `by` is who is signed in: such a one's is a page that says of nobody whom it was shown to, as one does
    that another release made, or another key sealed. Another site's was refused before.
    """
    path = request.url.path
    account = shown_to(services, form) or by
    if account is None or _NOT_KEPT.fullmatch(path):
        return None
    values = {name: many for name, many in form.values.items() if name not in NEVER}
    kept = Kept(account, path, services.now(), Form(values))
    return kept if kept.written else None


def seal(services: Services, kept: Kept) -> str:
    """For the hidden field. At most 2 % longer than what was posted: base64 takes what deflate gives."""
    said = [
        kept.account,
        kept.path,
        kept.at.isoformat(),
        {name: [*each] for name, each in kept.form.values.items()},
    ]
    packed = zlib.compress(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    return base64.urlsafe_b64encode(services.ports.desk.pages.wrap(packed, _SEALED)).decode()


def carried(services: Services, form: Form) -> Kept | None:
    """What a form of the sign-in page carries; None where it carries nothing that we sealed."""
    try:
        sealed = base64.urlsafe_b64decode(form.one(FIELD).encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return None
    packed = services.ports.desk.pages.unwrap(sealed, _SEALED)
    if packed is None:
        return None
    account, path, at, values = json.loads(zlib.decompress(packed))
    return Kept(account, path, datetime.fromisoformat(at), Form(values))
