"""Entity tags of the API: conditions on reading and on writing (RFC 9110 §13)."""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header, Response
from pydantic import BaseModel

from broadcaster.web.feeds.polls import matches
from broadcaster.web.problems import ProblemError

_VERSION = re.compile(r'"([1-9][0-9]{0,8})"')

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="The ETag of the alert as you read it."),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match", max_length=500, description="The ETag you have; answers 304 if it holds."
    ),
]


def version_tag(version: int, *, inside: bool) -> str:
    """The tag of an alert. What the public sees of a version is other bytes, so another tag."""
    return f'"{version}"' if inside else f'"{version}-public"'


def answered(
    body: BaseModel, response: Response, if_none_match: str | None, *, tag: str | None = None
) -> BaseModel | Response:
    """The body with its tag, or 304. Without a `tag` it is a digest of the body."""
    tag = tag or f'"{hashlib.sha256(body.model_dump_json().encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if if_none_match and matches(if_none_match.encode("latin-1", "replace"), tag.encode()):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return body


def _expected(if_match: IfMatch = None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise ProblemError("precondition.failed", "If-Match is not an ETag of the alert as staff read it.")
    return int(match[1])


def _required(if_match: IfMatch = None) -> int | None:
    if if_match is None:
        raise ProblemError("precondition.missing")
    return _expected(if_match)


def _seen(if_match: IfMatch = None) -> int:
    expected = _expected(if_match)
    if expected is None:
        raise ProblemError("precondition.missing")
    return expected


Expected = Annotated[int | None, Depends(_expected)]
"""The version the caller saw; None where it did not say, or said any."""
ExpectedStrictly = Annotated[int | None, Depends(_required)]
"""The same, and saying is required."""
Seen = Annotated[int, Depends(_seen)]
"""The same, and `*` says nothing: what is answered for must have been read."""
