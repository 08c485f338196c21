"""Errors as the API tells them: application/problem+json (RFC 9457), every one of them.

`type` is stable and a page of its own. A refusal's last part is the name of the rule that was
broken, which stands in `rule` too; a request that is not well formed lists its fields in `errors`.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.responses import Response

from broadcaster.rules import RefusedError, Rule

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its status, its title, and what the caller can do about it."""

    status: int
    title: str
    advice: str


_RULES = {
    Rule.ROLE: ("The role is missing", "A manager grants the account the role for that body."),
    Rule.BODY: ("Not your body", "Act for a body that the account holds a role for."),
    Rule.AREA: ("Outside the body's area", "Address only areas at or below the area of the body."),
    Rule.FIELD: ("Outside the body's fields", "Leave the category to a body in charge of it."),
    Rule.CLOSED: ("The body is no more", "Its successors answer for it."),
    Rule.FOUR_EYES: ("Another must do it", "Someone who had no hand in this version approves it."),
    Rule.DELEGATION_SELF: ("To itself", "Delegate to another body."),
    Rule.DELEGATION_AREA: ("Not the grantor's area", "Delegate areas at or below the grantor's own area."),
    Rule.DELEGATION_FIELD: ("Not the grantor's field", "Delegate categories of the grantor's own fields."),
    Rule.DELEGATION_DATES: ("Wrong dates", "It starts now or later and ends after that, within 366 days."),
    Rule.DELEGATION_OVER: ("Over already", "It was revoked, or its end has come."),
    Rule.CADENCE_DATES: ("Wrong dates", "Terms begin now or later; an exemption ends after it begins."),
    Rule.UNKNOWN_AREA: ("Unknown area", "Use codes of the edition in force, see /v1/areas."),
    Rule.EDITION: ("Codes of another edition", "Revise it with codes of the edition in force."),
    Rule.UNKNOWN_CATEGORY: ("Unknown category", "Use a category that the body's fields name."),
    Rule.RISK_LEVEL: ("Wrong risk level", "Natural hazards state a level from 1 to 5, others none."),
    Rule.EXPIRY: ("Wrong expiry", "The end must lie in the future."),
    Rule.SCHEDULE: ("Wrong time to go out", "Within 30 days from now, and before the end."),
    Rule.MODE: ("Another mode", "Draft another alert: this one keeps its mode."),
    Rule.LIMIT: ("Too long for a channel", "Shorten the text that `detail` names."),
    Rule.TEMPLATE: ("The template does not fit", "Mend what `detail` names."),
    Rule.SIGN: ("Too long for a screen", "Write a shorter sign_text; /v1/preview/screen shows what fits."),
    Rule.DISPLAY: ("Unknown display", "Use a profile that the detail names."),
    Rule.STATE: ("Not now", "Read the alert again: it is in another state."),
    Rule.EXISTS: ("Already there", "The name is taken; nothing was changed."),
}


def _status(rule: Rule) -> int:
    if rule.is_authority:
        return 403
    return 422 if rule.is_content else 409


KINDS: Mapping[str, Kind] = {
    "request.malformed": Kind(400, "The request cannot be read", "Send a well-formed body in UTF-8."),
    "pairing.pending": Kind(400, "Not claimed yet", "Show the code, and poll again after the interval."),
    "pairing.slow-down": Kind(400, "Too soon", "Wait 5 seconds longer between polls from now on."),
    "pairing.expired": Kind(400, "The code is over", "Ask for another code."),
    "key.missing": Kind(
        401, "A key is required", "Send `Authorization: Bearer ...` with a key that lives."
    ),
    "key.kind": Kind(
        403, "The wrong kind of key", "Staff, screens and devices each have keys of their own."
    ),
    "form.foreign": Kind(403, "The form is not of this session", "Open the page again and send it anew."),
    "not-found": Kind(404, "Not found", "Check the address."),
    "method": Kind(405, "Method not allowed", "See the header Allow."),
    "request.slow": Kind(408, "The request took too long", "Send the body at once."),
    "conflict": Kind(409, "Changed by another", "Read it again and try again."),
    "precondition.failed": Kind(412, "Changed since you read it", "Read it again, then send its new ETag."),
    "request.too-large": Kind(413, "The body is too large", "At most 256 KiB; a file, 5 MB."),
    "request.media-type": Kind(
        415,
        "Another type is expected",
        "Send `application/json`; to `/v1/cap`, `application/cap+xml`; to `/v1/attachments`, the file.",
    ),
    "request.invalid": Kind(422, "The request is not valid", "Mend the fields that `errors` names."),
    "idempotency.reused": Kind(422, "The key was used before", "A new Idempotency-Key for a new request."),
    "precondition.missing": Kind(428, "If-Match is required", "Send the ETag of what you read."),
    "pairing.full": Kind(429, "Too many codes are open", "Wait for Retry-After, then ask again."),
    "tries": Kind(429, "Too many tries", "Wait for Retry-After, then try again."),
    "request.head": Kind(431, "The head is too large", "Send fewer and shorter headers."),
    "unexpected": Kind(500, "Something went wrong here", "Try again; the operator has been told."),
    "unavailable": Kind(503, "Not available now", "Try again in a moment."),
} | {rule.value: Kind(_status(rule), title, advice) for rule, (title, advice) in _RULES.items()}


class ProblemError(Exception):
    """A problem to be answered as it is."""

    def __init__(
        self,
        kind: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.headers, self.members = kind, detail, headers, members

    def response(self) -> Response:
        """The answer."""
        return problem(self.kind, self.detail, headers=self.headers, **self.members)


def problem(
    kind: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """The answer to an error; `members` are extensions."""
    return _response(kind, KINDS[kind], detail, headers, members)


def refused(refusal: RefusedError) -> Response:
    """The answer to a command that broke a rule."""
    return problem(refusal.rule.value, refusal.detail, rule=refusal.rule.value)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to an error that the framework found, known by its status only."""
    for kind, known in KINDS.items():
        if known.status == status and status not in {403, 409, 422}:
            return problem(kind, headers=headers)
    phrase = HTTPStatus(status).phrase
    return _response("http", Kind(status, phrase, phrase), None, headers, {})


def invalid(errors: Sequence[Mapping[str, Any]]) -> Response:
    """The answer to a request whose fields break their rules, as pydantic found them."""
    found = [field_error(error) for error in errors[:20]]
    first = found[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem("request.invalid", detail, errors=found)


def field_error(error: Mapping[str, Any]) -> dict[str, str]:
    """One field, the rule it breaks and what the rule says. The value is not told: it may be personal."""
    places = [str(part)[:60] for part in error["loc"]]
    if places and places[0] in {"body", "query", "path", "header"}:
        places = places[1:]
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"field": ".".join(places), "rule": str(error["type"]), "message": message}


def _response(
    slug: str,
    kind: Kind,
    detail: str | None,
    headers: Mapping[str, str] | None,
    members: Mapping[str, Any],
) -> Response:
    body = {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.advice,
        **members,
    }
    # A lone surrogate in what the caller sent has no UTF-8; it goes back as it came, escaped.
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(data, kind.status, headers, MEDIA_TYPE)
