"""Answers as the bytes that go out."""

from collections.abc import Iterable
from http import HTTPStatus

from broadcaster.web.problems import problem

Header = tuple[bytes, bytes]


def head(status: int, headers: Iterable[Header]) -> bytes:
    """Status line and headers, without the empty line that ends them."""
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return line + b"".join(b"%s: %s\r\n" % header for header in headers)


def refusal(kind: str, detail: str | None = None, *headers: Header) -> tuple[bytes, bytes]:
    """Head and body of a problem, as the web role tells it."""
    made = problem(kind, detail)
    given = [*made.raw_headers, (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    return head(made.status_code, [*given, *headers]), bytes(made.body)
