"""What FCM's answers mean."""

import json
from datetime import UTC, datetime

import pytest
from firebase_admin import exceptions, messaging
from hypothesis import given
from hypothesis import strategies as st

from channels.gateway import Result
from channels.push.answers import blames_content, read_answer, seconds
from channels.push.sandbox.behaviour import FAULTS
from schemas.dispatch import Outcome

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
GONE, DEFERRED, REFUSED = Outcome.GONE, Outcome.DEFERRED, Outcome.REFUSED


def error(status: str, code: str = "", field: str = "", message: str = "") -> bytes:
    details: list[dict[str, object]] = [{"@type": FCM, "errorCode": code}] if code else []
    if field:
        details.append({"fieldViolations": [{"field": field, "description": "no"}]})
    return json.dumps({"error": {"status": status, "message": message, "details": details}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b'{"name":"projects/p/messages/1"}', Result(7, Outcome.ACCEPTED)),
        (404, error("NOT_FOUND", "UNREGISTERED"), Result(7, GONE, "UNREGISTERED")),
        (403, error("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), Result(7, GONE, "SENDER_ID_MISMATCH")),
        (
            400,
            error("INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token"),
            Result(7, GONE, "INVALID_ARGUMENT"),
        ),
        (400, error("INVALID_ARGUMENT", field="message.fid"), Result(7, GONE, "INVALID_ARGUMENT")),
        (
            400,
            # Google's own example of an invalid token: no field.
            error(
                "INVALID_ARGUMENT",
                "INVALID_ARGUMENT",
                message="The registration token is not a valid FCM registration token",
            ),
            Result(7, GONE, "INVALID_ARGUMENT"),
        ),
        (
            400,
            error("INVALID_ARGUMENT", field="message.data[0].value"),
            Result(7, REFUSED, "INVALID_ARGUMENT message.data[0].value"),
        ),
        (400, error("INVALID_ARGUMENT"), Result(7, REFUSED, "INVALID_ARGUMENT")),
        (429, error("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), Result(7, DEFERRED, "QUOTA_EXCEEDED", 60.0)),
        (503, error("UNAVAILABLE", "UNAVAILABLE"), Result(7, DEFERRED, "UNAVAILABLE")),
        (500, error("INTERNAL", "INTERNAL"), Result(7, DEFERRED, "INTERNAL")),
        (
            401,
            error("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
            Result(7, DEFERRED, "THIRD_PARTY_AUTH_ERROR"),
        ),
        (401, error("UNAUTHENTICATED"), Result(7, DEFERRED, "UNAUTHENTICATED")),
        # Nothing that does not name the address may erase it.
        (404, error("NOT_FOUND"), Result(7, DEFERRED, "NOT_FOUND")),
        (404, b"<html>", Result(7, DEFERRED, "BAD_REPLY")),
        (403, error("PERMISSION_DENIED"), Result(7, DEFERRED, "PERMISSION_DENIED")),
        # The answer to what was accepted may be lost on its way.
        (200, b"<html>", Result(7, DEFERRED, "BAD_REPLY", ambiguous=True)),
        (200, b"{}", Result(7, DEFERRED, "BAD_REPLY", ambiguous=True)),
        (502, b"<html>", Result(7, DEFERRED, "BAD_REPLY", ambiguous=True)),
        (503, b"", Result(7, DEFERRED, "BAD_REPLY")),
    ],
)
def test_results(status: int, body: bytes, result: Result) -> None:
    assert read_answer(7, status, None, body, lambda: AT) == result


def test_retry_after_is_passed_on() -> None:
    for name in ("QUOTA_EXCEEDED", "UNAVAILABLE"):
        answer = error(FAULTS[name].status, name)
        assert read_answer(7, FAULTS[name].http, "3", answer, lambda: AT).retry_after == 3.0


def test_names_are_firebase_admins() -> None:
    theirs = {*vars(messaging._MessagingService)["FCM_ERROR_TYPES"], *vars(exceptions)}  # pyright: ignore[reportPrivateUsage]  (no public list)
    assert FAULTS.keys() <= theirs


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("0", 0.0),
        ("7.5", 7.5),
        ("-3", 0.0),
        ("999999", 3600.0),
        ("inf", 3600.0),
        ("Fri, 10 Jul 2026 02:00:30 GMT", 30.0),
        ("Fri, 10 Jul 2026 01:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, wish: float | None) -> None:
    assert seconds(header, AT) == wish


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["error", "name", "details", "x"]), inner)
    ),
)


@given(
    st.integers(100, 599), st.text() | st.none(), st.binary() | JSON.map(lambda j: json.dumps(j).encode())
)
def test_no_answer_is_too_strange(status: int, header: str | None, body: bytes) -> None:
    result = read_answer(7, status, header, body, lambda: AT)
    assert result.rank == 7
    assert result.outcome is not Outcome.GONE
    assert not blames_content(result)
