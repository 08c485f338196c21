"""Frames by their names, the key that signs feeds, and what a text will look like on a screen."""

from base64 import b64encode
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Path, Query, Response
from starlette.responses import JSONResponse

from broadcaster.web.api.models import Answer
from broadcaster.web.auth import Staff
from broadcaster.web.feeds.polls import matches
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from channels.led.layout import lay_out
from channels.led.preview import preview, trouble
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS, Display

router = APIRouter(prefix="/v1", tags=["screens"])

_TYPES = {"png": "image/png", "bin": "application/octet-stream", "xbm": "image/x-xbitmap"}
_FOREVER = "public, max-age=31536000, immutable"
_PICTURE = {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}}


class FeedKeyAnswer(Answer):
    """The public half of the key that signs feeds."""

    algorithm: Literal["ed25519"] = "ed25519"
    key: str
    """Which key it is, as X-Feed-Signature names it."""
    public: str
    """32 bytes, base64."""


class ScreenPreview(Answer):
    """A text on one display."""

    profile: str
    width: int
    height: int
    whole: bool
    """Whether all of the text is shown."""
    pages: list[list[str]]
    missing: str | None
    """Debian's package of the letters that this installation lacks; its screens show larger ones."""
    picture: str
    """Where the pages are, as PNG."""


class ScreenPreviews(Answer):
    """A text on every display."""

    fits: bool
    problem: str | None
    """Why it cannot be submitted."""
    profiles: list[ScreenPreview]


Sample = Annotated[str, Query(min_length=1, max_length=160)]


@router.head("/frames/{sha256}.{form}", include_in_schema=False)
@router.get(
    "/frames/{sha256}.{form}",
    summary="One frame, by the SHA-256 that a feed names it by",
    responses=_PICTURE | problems_of(304, 404, 422),
    response_class=Response,
)
def read_frame(
    services: WithServices,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    form: Annotated[Literal["png", "bin", "xbm"], Path()],
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Response:
    """It never changes under its name, so keep it. 404 once no feed names it: poll the feed again.

    The name is of the `bin` for displays of one bit a pixel, of the `png` for all others.
    """
    tag = f'"{sha256}.{form}"'
    headers = {"ETag": tag, "Cache-Control": _FOREVER, "X-Content-Type-Options": "nosniff"}
    body = services.forms.frame(sha256, form)
    if body is None:
        raise ProblemError("not-found", "No feed names such a frame, or it has no such form.")
    if matches((if_none_match or "").encode("latin-1", "replace"), tag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=_TYPES[form])


@router.get("/feed-key", summary="The key that signs what screens are told")
def read_feed_key(services: WithServices) -> FeedKeyAnswer:
    """Give it to a screen when it is put up, by a way of your own: who forges a feed can forge this."""
    key = services.ports.feed_key
    return FeedKeyAnswer(key=key.key_id, public=b64encode(key.public).decode())


@router.get(
    "/preview/screen",
    summary="What a text will look like on screens",
    responses=_PICTURE
    | {200: {"model": ScreenPreviews, "content": {"image/png": {}}}}
    | problems_of(401, 403, 404, 422),
    response_model=None,
)
def preview_screen(
    _: Staff,
    text: Sample,
    profile: str | None = None,
    severity: Severity = Severity.UNKNOWN,
    mode: Mode = Mode.ACTUAL,
) -> Response:
    """With `profile` the picture itself, without it what every display makes of the text.

    Pages that are too many are crossed out. The frames are the very ones that screens get.
    """
    if profile is not None:
        if profile not in DISPLAYS:
            raise ProblemError("not-found", f"profile: there are {', '.join(DISPLAYS)}.")
        picture = preview(lay_out(text, DISPLAYS[profile], mode), text, severity, mode)
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=60"})
    problem = trouble(text)
    found = ScreenPreviews(
        fits=problem is None,
        problem=str(problem) if problem else None,
        profiles=[_answer(text, shown, severity, mode) for shown in DISPLAYS.values()],
    )
    return JSONResponse(found.model_dump(mode="json"))


def _answer(text: str, shown: Display, severity: Severity, mode: Mode) -> ScreenPreview:
    layout = lay_out(text, shown, mode)
    asked = {"text": text, "profile": shown.name, "severity": severity.value, "mode": mode.value}
    return ScreenPreview(
        profile=shown.name,
        width=shown.width,
        height=shown.height,
        whole=layout.whole,
        pages=[list(lines) for lines in layout.pages],
        missing=layout.missing,
        picture=f"/v1/preview/screen?{urlencode(asked)}",
    )
