"""What a text looks like on a display: the very frames that screens of that kind would get."""

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web.console.stream import WatchingVisitor
from channels.led.layout import lay_out
from channels.led.preview import preview
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS

router = APIRouter(prefix="/console/sign.png", include_in_schema=False)

_KEPT = 256
"""Pictures; a draft is typed a letter at a time, and everyone who looks at it sees the same four."""


class Asked(BaseModel):
    """Which text on which display."""

    model_config = ConfigDict(extra="ignore")

    text: Annotated[str, Field(min_length=1, max_length=500)]
    profile: Annotated[str, Field(max_length=40)]
    severity: Severity = Severity.UNKNOWN
    mode: Mode = Mode.ACTUAL


@router.get("")
def sign(visitor: WatchingVisitor, asked: Annotated[Asked, Query()]) -> Response:
    """Page below page; those beyond what a display may show are crossed out."""
    del visitor  # That someone is signed in is all that is asked.
    if asked.profile not in DISPLAYS:
        raise HTTPException(404)
    picture = _picture(asked.text, asked.profile, asked.severity, asked.mode)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=600"})


@lru_cache(maxsize=_KEPT)
def _picture(text: str, profile: str, severity: Severity, mode: Mode) -> bytes:
    return preview(lay_out(text, DISPLAYS[profile], mode), text, severity, mode)
