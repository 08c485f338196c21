"""What FCM's answers mean for one recipient.

The names are Google's: an FcmError's code where there is one (firebase_admin.messaging knows the same),
else the canonical status (firebase_admin.exceptions). Ours, for what no provider said: BAD_REPLY,
CONNECTION_FAILED, CONNECTION_LOST, TOKEN_UNAVAILABLE, ADDRESS_KIND.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

import structlog
from firebase_admin import exceptions
from pydantic import BaseModel, Field, ValidationError

from channels.gateway import Message, PayloadFaultError, Result
from schemas.content import Language
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

GONE = ("UNREGISTERED", "SENDER_ID_MISMATCH")
QUOTA = ("QUOTA_EXCEEDED", exceptions.RESOURCE_EXHAUSTED)
QUOTA_PAUSE = 60.0
"""Seconds; FCM refills a project's quota each minute."""
THIRD_PARTY = "THIRD_PARTY_AUTH_ERROR"
"""Apple, or a browser's push service, does not take the keys that FCM was given for it."""
LONGEST_PAUSE = 3600.0
"""A Retry-After beyond it is a slip, not a wish: an alert would die of it."""
ADDRESS_FIELDS = ("message.token", "message.fid")
BAD_TOKEN = "not a valid FCM registration token"  # noqa: S105 (words of an error)
LOST_REPLIES = (500, 502, 504)
"""Without an FCM error in it, such an answer comes from something on the way that lost the real one."""


class _Violation(BaseModel):
    field: str = ""


class _Detail(BaseModel):
    code: str = Field("", alias="errorCode")
    violations: list[_Violation] = Field([], alias="fieldViolations")


class _Error(BaseModel):
    message: str = ""
    status: str = ""
    details: list[_Detail] = []

    @property
    def name(self) -> str:
        return next((detail.code for detail in self.details if detail.code), self.status)

    @property
    def fields(self) -> list[str]:
        return [violation.field for detail in self.details for violation in detail.violations]

    @property
    def blames_address(self) -> bool:
        # FCM reports a malformed token in two ways: by field, and (its documentation's own example)
        # by these words without a field. A fault of the content names its field or gives no detail.
        return any(field in ADDRESS_FIELDS for field in self.fields) or BAD_TOKEN in self.message


class _Reply(BaseModel):
    name: str = ""
    error: _Error | None = None


_TAKEN = re.compile(rb'\s*\{\s*"name"\s*:\s*"[^"\\]+"\s*\}\s*')
"""What FCM answers when all is well: so often that it is worth no parser."""
_ACCEPTED = Outcome.ACCEPTED
"""An enum's member is slow to name (Python 3.11), and this one is for each phone."""


def read_answer(
    rank: int, status: int, retry_after: str | None, body: bytes, clock: Callable[[], datetime]
) -> Result:
    """The result FCM's answer gives the recipient of this rank.

    An INVALID_ARGUMENT that does not blame the address is `refused`: whether the content is at
    fault shows only beside what the others got.
    """
    if status == 200 and _TAKEN.fullmatch(body):  # noqa: PLR2004 (HTTP's own number)
        return Result(rank, _ACCEPTED)
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError:
        reply = _Reply()
    if status == 200 and reply.name:  # noqa: PLR2004 (HTTP's own number)
        return Result(rank, Outcome.ACCEPTED)
    pause = seconds(retry_after, clock()) if retry_after else None
    if reply.error is None or not reply.error.name:
        lost = status < 400 or status in LOST_REPLIES  # noqa: PLR2004 (HTTP's own number)
        return Result(rank, Outcome.DEFERRED, "BAD_REPLY", pause, ambiguous=lost)
    return _read_error(rank, reply.error, pause)


def _read_error(rank: int, error: _Error, pause: float | None) -> Result:
    name = error.name
    if name in GONE:
        return Result(rank, Outcome.GONE, name)
    if name == exceptions.INVALID_ARGUMENT and error.blames_address:
        return Result(rank, Outcome.GONE, name)
    if name == exceptions.INVALID_ARGUMENT:
        return Result(rank, Outcome.REFUSED, " ".join((name, *error.fields[:1])))
    if name in QUOTA:
        pause = QUOTA_PAUSE if pause is None else pause
    return Result(rank, Outcome.DEFERRED, name, pause)


def blames_content(result: Result) -> bool:
    """Whether FCM refused what was said, as far as this one answer shows."""
    return result.outcome is Outcome.REFUSED and result.reason.startswith(exceptions.INVALID_ARGUMENT)


def judge_refusals(message: Message, languages: Sequence[Language], results: Sequence[Result]) -> None:
    """Raises PayloadFaultError where FCM refused a body that nobody was sent with success.

    Where others were, the body is sound, and the one refused is a recipient's own matter. Each result
    stands beside the language its recipient was written to in.
    """
    accepted = Outcome.ACCEPTED
    if all(result.outcome is accepted for result in results):
        return
    pairs = list(zip(languages, results, strict=True))
    proven = {language for language, result in pairs if result.outcome is accepted}
    for language, result in pairs:
        if blames_content(result) and language not in proven:
            log.error("push.content_refused", alert=str(message.alert_id), reason=result.reason)
            raise PayloadFaultError(result.reason)


def seconds(retry_after: str | None, at: datetime) -> float | None:
    """A Retry-After header's wish (RFC 9110 §10.2.3), from 0 to an hour; None where it makes no sense."""
    if not retry_after:
        return None
    try:
        wish = float(retry_after)
    except ValueError:
        try:
            wish = (parsedate_to_datetime(retry_after) - at).total_seconds()
        except (TypeError, ValueError):
            return None
    # NaN and infinity are floats too, and fail the comparison.
    return max(0.0, min(wish, LONGEST_PAUSE)) if wish == wish else None  # noqa: PLR0124
