"""CAP 1.2 over HTTP: a message of ours, and a message of another as a draft."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from broadcaster.cap import importer, messages
from broadcaster.cap.feeds import CAP_TYPE
from broadcaster.cap.importer import Choices
from broadcaster.cap.model import CapRefusedError
from broadcaster.cap.parse import parse
from broadcaster.cap.render import Words
from broadcaster.office.attachments import Attachments
from broadcaster.reference import Category
from broadcaster.web.api.alert_actions import WithCaller
from broadcaster.web.api.cap_models import CapChoices, CapImported, findings
from broadcaster.web.api.tags import IfNoneMatch
from broadcaster.web.feeds.polls import matches
from broadcaster.web.openapi import COMMAND_PROBLEMS, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.events import AlertIssued

router = APIRouter(prefix="/v1", tags=["alerts"])

_LATEST = "public, no-cache"
_FOR_EVER = "public, max-age=86400"
_XML: dict[str, Any] = {CAP_TYPE: {"schema": {"type": "string"}}}


def _category(services: Services, code: str) -> Category:
    known = services.ports.office.categories.get(code)
    if known:
        return known
    # A category that was given up; its alerts are still read.
    return Category.model_construct(code=code, name=code, cap_category="Other")


def _words(services: Services, event: AlertIssued) -> Words:
    page = event.page or f"{services.ports.base_url}/alerts/{event.originator_id}"
    return Words(
        body=event.sender_name or services.directory.body_name(event.issuer_id),
        category=_category(services, event.content.category),
        tree=services.tree(event.edition),
        web=page,
        files=page.rpartition("/alerts/")[0] + "/attachments/",
        sha1s=_sha1s(services, event),
    )


def _sha1s(services: Services, event: AlertIssued) -> dict[str, str]:
    digests = [each.sha256 for each in event.content.attachments]
    if not digests:
        return {}
    return {sha256: kept.sha1 for sha256, kept in Attachments(services.ports.pool).find(digests).items()}


@router.head("/alerts/{alert_id}.cap", include_in_schema=False)
@router.get(
    "/alerts/{alert_id}.cap",
    summary="Read an alert as CAP",
    response_class=Response,
    responses={200: {"content": _XML}} | problems_of(304, 404, 422),
)
def read_cap(
    services: WithServices,
    alert_id: UUID,
    version: Annotated[
        int | None, Query(ge=1, description="Of the message; the latest without it.")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One message in CAP 1.2 XML: the latest, or that of a version. A version's bytes never change."""
    identifier, data = message(services, alert_id, version)
    signing = services.ports.signing
    if signing is not None:
        data = signing.signed(identifier, data, services.now())
    return tagged(data, CAP_TYPE, if_none_match, _FOR_EVER if version else _LATEST)


def message(services: Services, alert_id: UUID, version: int | None = None) -> tuple[str, bytes]:
    """A message's identifier and its bytes, unsigned; the latest without a version. Raises ProblemError."""
    found = messages.read(services.ports.log, alert_id)
    try:
        data = found.bytes_of(version or found.latest, lambda event: _words(services, event))
    except messages.NoMessageError:
        raise ProblemError("not-found", "There is no such message, or it did not go out.") from None
    return found.identifier_of(version or found.latest), data


def tagged(data: bytes, media_type: str, if_none_match: str | None, cache_control: str) -> Response:
    """The bytes with a strong tag, or 304."""
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": cache_control}
    if if_none_match and matches(if_none_match.encode("latin-1", "replace"), tag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)


async def _message(request: Request) -> bytes:
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if said != CAP_TYPE:
        raise ProblemError("request.media-type", f"Send `Content-Type: {CAP_TYPE}`.")
    return await request.body()


@router.post(
    "/cap",
    status_code=201,
    summary="Take a CAP message as a draft",
    responses=COMMAND_PROBLEMS | problems_of(415),
    openapi_extra={"requestBody": {"required": True, "content": _XML}},
)
def import_cap(
    caller: WithCaller,
    data: Annotated[bytes, Depends(_message)],
    wanted: Annotated[CapChoices, Query()],
) -> CapImported:
    """Another's alert becomes a draft of the body, and nothing more: staff finish it and send it on.

    What the message got wrong, and what was lost, is listed. A message that cannot be taken names why.
    """
    services = caller.services
    issuer = wanted.issuer or caller.principal.body
    if issuer is None:
        raise ProblemError(
            "body.not-yours", "issuer: name one, for the key speaks for no body.", rule="body.not-yours"
        )
    at = services.now()
    choices = Choices(wanted.category, tuple(wanted.area), wanted.risk_level, wanted.kind)
    try:
        imported = importer.to_content(
            parse(data),
            choices,
            tree=services.tree(),
            categories=services.ports.office.categories,
            at=at,
        )
    except CapRefusedError as refusal:
        error = {"field": "cap", "rule": f"cap.{refusal.rule}", "message": refusal.detail}
        raise ProblemError("request.invalid", f"cap: {refusal.detail}", errors=[error]) from None
    alert = caller.commands.draft(caller.by, issuer, imported.content, at=at, once=caller.once)
    caller.response.headers["Location"] = f"/v1/alerts/{alert.id}"
    return CapImported(alert=caller.answer(alert), findings=findings(imported.findings))
