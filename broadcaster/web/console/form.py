"""What a page posts: read, checked for where it comes from, and bound to the session."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from broadcaster.accounts.sessions import csrf_of
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services

CSRF = "csrf"
_MOST_FIELDS = 2000
"""Every area of the city and more."""
_PAD = 32
_SHOWN = "shown to"


@dataclass(frozen=True)
class Form:
    """The values of each field, in order; line ends are line feeds."""

    values: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """A field's first value, without space around; empty where it was not sent."""
        return next(iter(self.values.get(name, ())), "").strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(self.values.get(name, ()))

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.one(name))

    def mark(self) -> bytes:
        """The same for a form that is sent twice; a page with a nonce of its own has forms of its own."""
        said = sorted((name, tuple(many)) for name, many in self.values.items() if name != CSRF)
        return hashlib.sha256(repr(said).encode()).digest()

    def number(self, name: str) -> int:
        """A field that the page itself filled in with a number. Raises ProblemError."""
        text = self.one(name)
        if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004
            raise ProblemError("request.malformed", f"{name}: a number is expected")
        return int(text)


@dataclass(frozen=True)
class Posted:
    """The form that a page answers, if not with what it asked for."""

    path: str
    form: Form
    kept: bool = False
    """Whether it was posted before its writer signed in anew."""


POSTED = "posted"
"""Where a request's state holds it."""


class StaleFormError(ProblemError):
    """A form of a session that is not this one: ended since, or someone else's."""

    def __init__(self, visitor: Visitor, form: Form) -> None:
        super().__init__("form.foreign")
        self.visitor, self.form = visitor, form


def masked(services: Services, visitor: Visitor) -> str:
    """The session's CSRF token under a fresh mask: a compressed page must not hold the same one twice.

    Behind it, sealed, whom the page was shown to: that is known even when the session has ended.
    """
    pad = secrets.token_bytes(_PAD)
    shown = services.ports.desk.pages.wrap(visitor.name.encode(), _SHOWN)
    return base64.urlsafe_b64encode(pad + _xor(pad, csrf_of(visitor.token)) + shown).decode()


def shown_to(services: Services, form: Form) -> str | None:
    """The account that our own page with this form was shown to; None where no page of ours was."""
    name = services.ports.desk.pages.unwrap(_raw(form)[2 * _PAD :], _SHOWN)
    return None if name is None else name.decode()


def _is_of(token: str, form: Form) -> bool:
    raw = _raw(form)
    # A page of before whom it was shown to stood behind it, open over a deploy, is as good as any.
    return len(raw) >= 2 * _PAD and hmac.compare_digest(
        _xor(raw[:_PAD], raw[_PAD : 2 * _PAD]), csrf_of(token)
    )


def _raw(form: Form) -> bytes:
    try:
        return base64.urlsafe_b64decode(form.one(CSRF).encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def check_origin(request: Request, base_url: str) -> None:
    """Refuses what another site sent. Every browser of today says where a form comes from."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in {"same-origin", "none"}:
            return
    else:
        origin = urlsplit(request.headers.get("origin", ""))
        if origin.netloc and origin.netloc in {urlsplit(base_url).netloc, request.headers.get("host")}:
            return
    raise ProblemError("form.foreign")


async def unbound(request: Request) -> Form:
    """A form of someone who is not signed in."""
    check_origin(request, request.app.state.services.ports.base_url)
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise ProblemError("request.malformed", "The form cannot be read.") from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        # PostgreSQL keeps no NUL; a browser sends line ends as CRLF.
        values.setdefault(name, []).append(value.replace("\x00", "").replace("\r\n", "\n"))
    form = Form(values)
    setattr(request.state, POSTED, Posted(request.url.path, form))
    return form


def bound(visitor: WithVisitor, form: Annotated[Form, Depends(unbound)]) -> Form:
    """A form of a page that this very session was shown. Raises StaleFormError."""
    if not _is_of(visitor.token, form):
        raise StaleFormError(visitor, form)
    return form


UnboundForm = Annotated[Form, Depends(unbound)]
BoundForm = Annotated[Form, Depends(bound)]
