"""The one template environment, and the files that pages refer to."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from broadcaster.web import i18n
from broadcaster.web.dial import dial
from broadcaster.web.feeds.polls import matches

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_WORTH_PACKING = 1000
"""Bytes."""
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """A file of the package, as it is served."""

    body: bytes
    packed: bytes
    media_type: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file in static/, by name."""
    found: dict[str, StaticFile] = {}
    for file in (files("broadcaster.web") / "static").iterdir():
        media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if media_type:
            body = file.read_bytes()
            found[file.name] = StaticFile(body, gzip.compress(body, 9, mtime=0), media_type)
    return found


@cache
def static_digest() -> str:
    """Of all files together: modules import each other by name, so they change address as one."""
    whole = hashlib.sha256()
    for name, file in sorted(static_files().items()):
        whole.update(f"{name} {len(file.body)}\n".encode() + file.body)
    return whole.hexdigest()[:12]


def static_url(name: str) -> str:
    """Where the file is, for as long as the files are these very ones. Raises KeyError."""
    assert name in static_files(), name
    return f"/static/{static_digest()}/{name}"


@cache
def environment() -> Environment:
    """Escapes everything, and fails on a name that is not there."""
    env = Environment(
        loader=PackageLoader("broadcaster.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    env.filters |= {"number": i18n.number, "instant": i18n.instant, "span": i18n.span, "coded": coded}
    env.filters |= {"percent": i18n.percent, "last_day": i18n.last_day, "dial": dial}
    env.globals.update(static_url=static_url, language=i18n.language, _=i18n.words)  # type: ignore[arg-type]  # Jinja's own narrow type
    return env


def coded(text: str) -> Markup:
    """Words between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )


def render(template: str, lang: i18n.Lang, **values: Any) -> str:
    """The page in a language."""
    with i18n.speaking(lang):
        return environment().get_template(template).render(**values)


def page(request: Request, html: str, status: int = 200) -> Response:
    """The answer with a page, which depends on the reader's cookie."""
    response = HTMLResponse(html, status, {"Cache-Control": "private, no-cache", "Vary": "Cookie"})
    i18n.remember(request, response)
    return response


def public_page(request: Request, html: str, keep: str) -> Response:
    """A page without secrets, with a tag; `keep` is its Cache-Control (copies/terms.py).

    What changes the reader's cookie is theirs alone.
    """
    tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    own = request.query_params.get("lang") in i18n.LANGS
    headers = {"Cache-Control": "private, no-cache" if own else keep, "Vary": "Cookie", "ETag": tag}
    asked = request.headers.get("if-none-match", "")
    if asked and matches(asked.encode("latin-1", "replace"), tag.encode()):
        response = Response(status_code=304, headers=headers)
    else:
        response = HTMLResponse(html, headers=headers)
    i18n.remember(request, response)
    return response


def static_response(request: Request, digest: str, name: str) -> Response | None:
    """A file; None where there is none of that name. An old address gets the file as it is now."""
    file = static_files().get(name)
    if file is None:
        return None
    headers = {
        "Cache-Control": _FOR_EVER if digest == static_digest() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if takes_gzip(request):
        return Response(
            file.packed, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"}
        )
    return Response(file.body, media_type=file.media_type, headers=headers)


def takes_gzip(request: Request) -> bool:
    """Whether the browser unpacks gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def compressed(request: Request, response: Response) -> Response:
    """The answer, packed where that is worth it. A secret in it must be masked anew each time."""
    body = bytes(response.body)
    if len(body) >= _WORTH_PACKING and takes_gzip(request):
        response.body = gzip.compress(body, 4, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
        response.headers.add_vary_header("Accept-Encoding")
    return response
