"""How the double answers: JSON, and errors in FCM's words."""

import json
from typing import Any

from channels.push.sandbox.behaviour import FAULTS
from channels.push.sandbox.wire import Wire

JSON = ("content-type", "application/json; charset=UTF-8")
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


class Refusal(Exception):  # noqa: N818 (an answer, not an error of ours)
    """An FCM error to answer with."""

    def __init__(self, name: str, words: str = "", field: str = "", retry_after: str | None = None) -> None:
        super().__init__(name)
        self.name, self.words, self.field, self.retry_after = name, words, field, retry_after


def answer(wire: Wire, status: int, content: Any, *headers: tuple[str, str]) -> None:
    """Answers with JSON."""
    wire.answer(status, (JSON, *headers), json.dumps(content).encode())


def answer_error(wire: Wire, refusal: Refusal) -> None:
    """Answers as FCM does: a canonical status, and details that name FCM's own error and the field."""
    fault = FAULTS[refusal.name]
    details: list[dict[str, Any]] = [{"@type": FCM_ERROR, "errorCode": refusal.name}]
    if refusal.field:
        violation = {"field": refusal.field, "description": refusal.words}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    error = {"code": fault.http, "message": refusal.words, "status": fault.status, "details": details}
    headers = [("retry-after", refusal.retry_after)] if refusal.retry_after else []
    answer(wire, fault.http, {"error": error}, *headers)
