"""Files that go with alerts: brought by staff, public once an alert that names them went out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from broadcaster.account import Role
from broadcaster.office.attachments import BEGINNINGS, Attachments
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.api.models import Answer
from broadcaster.web.api.tags import IfNoneMatch
from broadcaster.web.auth import Anyone, Staff, actor
from broadcaster.web.feeds.polls import matches
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.attachments.projection import is_public

router = APIRouter(tags=["alerts"])

_BINARY: dict[str, Any] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in BEGINNINGS
}
_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
_FOR_EVER = "public, max-age=31536000, immutable"
_SANDBOX = "default-src 'none'; sandbox"

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its bytes.")]


class AttachmentAnswer(Answer):
    """A file that is kept; an alert's content names it by its digest."""

    sha256: str
    media_type: str
    size: int
    """Bytes."""
    url: str
    """Where everyone reads it once an alert that names it went out."""


async def _file(request: Request) -> tuple[bytes, str]:
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if said not in BEGINNINGS:
        raise ProblemError("request.media-type", f"Send one of {', '.join(BEGINNINGS)}.")
    return await request.body(), said


@router.post(
    "/v1/attachments",
    status_code=201,
    summary="Keep a file",
    responses=problems_of(401, 403, 413, 415, 422, command=True),
    openapi_extra={"requestBody": {"required": True, "content": _BINARY}},
)
def keep(
    services: WithServices,
    principal: Staff,
    file: Annotated[tuple[bytes, str], Depends(_file)],
) -> AttachmentAnswer:
    """For authors: PDF, PNG or JPEG, at most 5 MB. The same bytes are kept once, whoever brings them."""
    by, at = actor(principal), services.now()
    with services.ports.office.refusals(by, "keep file", at, issuer_id=by.body):
        if not any(role == Role.AUTHOR for _, role in services.account(by.account).roles):
            raise RefusedError(Rule.ROLE, f"{by.account} is not author of any body")
        kept = Attachments(services.ports.pool).keep(*file, by.account, at)
    url = f"{services.ports.base_url}/attachments/{kept.sha256}"
    return AttachmentAnswer(sha256=kept.sha256, media_type=kept.media_type, size=kept.size, url=url)


@router.get(
    "/v1/attachments/{sha256}",
    summary="Read a file",
    response_class=Response,
    responses={200: {"content": _BINARY}} | problems_of(304, 404, 422),
)
def read(
    services: WithServices, principal: Anyone, sha256: Digest, if_none_match: IfNoneMatch = None
) -> Response:
    """Staff read every file, so that an approver sees what he approves; others those of issued alerts."""
    return _answer(services, sha256, if_none_match, inside=principal is not None)


@router.api_route("/attachments/{sha256}", methods=["GET", "HEAD"], include_in_schema=False)
def read_public(services: WithServices, sha256: Digest, if_none_match: IfNoneMatch = None) -> Response:
    """The address that alerts name."""
    return _answer(services, sha256, if_none_match, inside=False)


def _answer(services: Services, sha256: str, if_none_match: str | None, *, inside: bool) -> Response:
    with services.reading() as conn:
        public = is_public(conn, sha256)
    found = Attachments(services.ports.pool).read(sha256) if public or inside else None
    if found is None:
        raise ProblemError("not-found", "There is no such file, or it is not for you to see.")
    media_type, data = found
    tag = f'"{sha256}"'
    shown = "attachment" if media_type == "application/pdf" else "inline"
    headers = {
        "ETag": tag,
        "Cache-Control": _FOR_EVER if public else "private, no-store",
        "Content-Disposition": f'{shown}; filename="{sha256[:16]}.{_ENDINGS[media_type]}"',
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if if_none_match and matches(if_none_match.encode("latin-1", "replace"), tag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)
