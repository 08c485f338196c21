"""The one template environment, and the files that pages refer to."""

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

_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """A file of the package, as it is served; its digest is in its address."""

    body: bytes
    media_type: str
    digest: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file in static/, by name."""
    found: dict[str, StaticFile] = {}
    for file in (files("broadcaster.web") / "static").iterdir():
        media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if media_type:
            body = file.read_bytes()
            found[file.name] = StaticFile(body, media_type, hashlib.sha256(body).hexdigest()[:12])
    return found


def static_url(name: str) -> str:
    """Where the file is, for as long as it is this very file."""
    return f"/static/{static_files()[name].digest}/{name}"


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
    env.globals.update(static_url=static_url, language=i18n.language)  # type: ignore[arg-type]  # Jinja's own narrow type
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


def static_response(digest: str, name: str) -> Response | None:
    """A file; None where there is none of that name. An old address gets the file as it is now."""
    file = static_files().get(name)
    if file is None:
        return None
    kept = _FOR_EVER if digest == file.digest else "no-cache"
    return Response(file.body, media_type=file.media_type, headers={"Cache-Control": kept})
