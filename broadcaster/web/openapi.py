"""What the description of the API says beyond what the code says by itself."""

from typing import Any

from broadcaster.web.problems import KINDS

DESCRIPTION = """
Bodies of the city author alerts; devices and screens read them.

Staff send `Authorization: Bearer hn_...`. What the account of the key may do is decided by its
roles, by the fields and the area of its body, and by who had a hand in the alert.

Repeats are harmless with `Idempotency-Key`: the repeat gets the first answer and does nothing.

Edits are conditional: `ETag` of what you read, `If-Match` when you write.

Errors are `application/problem+json` (RFC 9457). Their `type` is stable; a refusal names its `rule`.

Instants are UTC. Areas are codes of an edition of the register, see `/v1/areas`.
"""

TAGS = [
    {"name": "alerts", "description": "From draft to withdrawal, and what came of it."},
    {"name": "templates", "description": "Texts with gaps and sets of areas, kept for authors in a hurry."},
    {"name": "register", "description": "Areas and issuing bodies."},
    {"name": "devices", "description": "For a citizen's phone. It needs no staff key."},
    {"name": "screens", "description": "LED and LCD displays: putting them up, and what they poll."},
    {"name": "cadence", "description": "The duty to issue at least one item every 3 days."},
    {"name": "delivery", "description": "Receipts and their totals, and the audit trail."},
    {"name": "operations", "description": "For monitors."},
]

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "rule": {"type": "string", "description": "The rule that was broken."},
        "ways": {
            "type": "array",
            "description": "What may be done instead: where, with what in the body, by how many people.",
            "items": {
                "type": "object",
                "properties": {
                    "href": {"type": "string"},
                    "page": {"type": "string", "description": "The page of the console for it."},
                    "with": {"type": "object"},
                    "people": {"type": "integer"},
                },
            },
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "rule": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def problems_of(*statuses: int, command: bool = False) -> dict[int | str, dict[str, Any]]:
    """How an operation may fail; only a command breaks rules on content, or reuses a key."""
    return {status: _answer(status, command=command) for status in statuses}


def _answer(status: int, *, command: bool) -> dict[str, Any]:
    if status == 304:  # noqa: PLR2004
        return {"description": "Unchanged: what you have still holds."}
    kinds = [
        (slug, kind)
        for slug, kind in KINDS.items()
        if kind.status == status
        and (command or not slug.startswith(("content.", "delegation.", "cadence.", "idempotency.")))
    ]
    slug, kind = kinds[0]
    example = {"type": f"/problems/{slug}", "title": kind.title, "status": status, "detail": kind.advice}
    described = "; ".join(f"{one.title} (`{name}`)" for name, one in kinds)
    return {
        "description": described,
        "content": {"application/problem+json": {"schema": _PROBLEM, "example": example}},
    }


COMMAND_PROBLEMS = problems_of(401, 403, 404, 409, 412, 422, command=True)

_CONTENT = {
    "kind": "alert",
    "category": "mua_lon",
    "severity": "Severe",
    "urgency": "Expected",
    "certainty": "Likely",
    "risk_level": 2,
    "texts": {
        "vi": {
            "headline": "Mưa lớn, nguy cơ ngập úng",
            "description": "Từ 18h đến 23h, mưa 100-150 mm. Hạn chế ra đường.",
            "instruction": "Gọi 112 khi cần cứu hộ.",
        },
        "en": {
            "headline": "Heavy rain, risk of flooding",
            "description": "From 18:00 to 23:00, 100-150 mm of rain. Avoid travel.",
        },
    },
    "areas": ["00004"],
}


def _example(value: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": value}}}}


NEW_ALERT_EXAMPLE = _example({"issuer": "ubnd-00004", "content": _CONTENT})
CONTENT_EXAMPLE = _example({"content": _CONTENT})
DEVICE_EXAMPLE = _example(
    {
        "token": "fcm-registration-token",
        "platform": "android",
        "home": "00004",
        "areas": ["00008"],
        "locale": "vi",
    }
)
DELEGATION_EXAMPLE = _example(
    {
        "grantee": "ubnd-00004",
        "fields": ["ngap_ung"],
        "areas": ["001"],
        "starts_at": "2026-07-01T00:00:00+07:00",
        "ends_at": "2026-10-01T00:00:00+07:00",
    }
)
CLAIM_EXAMPLE = _example(
    {"code": "BKQT-ZMXD", "name": "Chợ Long Biên", "area": "00004", "profile": "m96x32-1"}
)
SCREEN_EXAMPLE = _example({"name": "Ngã tư Kim Mã", "area": "00004", "profile": "m96x32-1"})
