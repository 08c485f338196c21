"""What makes the page an app: its manifest, its icons, and the worker that keeps it for bad times."""

import json
from functools import lru_cache
from io import BytesIO
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from PIL import Image, ImageDraw
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.templating import environment, static_digest, static_files, static_url

router = APIRouter(include_in_schema=False)

SIZES = (180, 192, 512)
BRAND, RING, HEART = "#0b4f8a", "#ffffff", "#ff9d3d"
KEPT = ("site.css", "public.css", "mark.svg", "my.js", "my-push.js")
"""Files the page needs when nobody answers."""
_SHARPER = 4
"""Icons are drawn so many times larger, for smooth edges."""


@router.get("/manifest.webmanifest")
async def manifest(lang: Annotated[Literal["vi", "en"], Query()] = "vi") -> Response:
    """W3C Web Application Manifest."""
    icons = [
        {"src": f"/icons/{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in SIZES
    ]
    with i18n.speaking(lang):
        module = environment().get_template("my-words.html").make_module()
        document = {
            "id": "/my",
            "name": str(module.name),  # type: ignore[attr-defined]  # set by the template
            "short_name": str(module.short_name),  # type: ignore[attr-defined]
            "description": str(module.description),  # type: ignore[attr-defined]
            "lang": lang,
            "start_url": "/my",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f4f6f8",
            "theme_color": BRAND,
            "icons": [each | {"purpose": purpose} for each in icons for purpose in ("any", "maskable")],
        }
    body = json.dumps(document, ensure_ascii=False)
    return Response(
        body, media_type="application/manifest+json", headers={"Cache-Control": "public, max-age=3600"}
    )


@router.get("/icons/{size}.png")
def icon(size: Annotated[int, Path(ge=1, le=1024)]) -> Response:
    """The mark on the brand's ground, whole within a maskable icon's safe circle."""
    if size not in SIZES:
        raise HTTPException(404)
    return Response(
        _drawn(size), media_type="image/png", headers={"Cache-Control": "public, max-age=86400"}
    )


@lru_cache(maxsize=len(SIZES))
def _drawn(size: int) -> bytes:
    side = size * _SHARPER
    image = Image.new("RGB", (side, side), BRAND)
    draw = ImageDraw.Draw(image)
    # As in mark.svg; the safe circle of a maskable icon has 40 % of the side as its radius.
    for radius, fill in ((0.36, RING), (0.277, HEART)):
        draw.circle((side / 2, side / 2), radius * side, fill=fill)
    out = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


@router.get("/sw.js")
async def worker() -> Response:
    """The service worker, told which files go with it: other files make it another worker."""
    build = {
        "digest": static_digest(),
        "files": [static_url(name) for name in KEPT],
        "offline": {lang: f"/my/offline/{lang}" for lang in i18n.LANGS},
    }
    body = f"const BUILD = {json.dumps(build)};\n".encode() + static_files()["sw.js"].body
    return Response(
        body, media_type="text/javascript; charset=utf-8", headers={"Cache-Control": "public, no-cache"}
    )
