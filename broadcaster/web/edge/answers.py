"""What the edge answers with, and why it does not."""

from typing import NamedTuple

from broadcaster.web.edge.wire import Header


class Refused(Exception):  # noqa: N818 (it is an answer)
    """The answer is a problem; `reason` is a word to count by, where it counts."""

    def __init__(self, kind: str, detail: str | None = None, *headers: Header, reason: str = "") -> None:
        super().__init__(kind)
        self.kind, self.detail, self.headers, self.reason = kind, detail, headers, reason


class Elsewhere(Exception):  # noqa: N818 (it is a fork in the road)
    """Memory does not have it: the key, the form or the frame."""


class Reply(NamedTuple):
    """Head without the empty line, and body."""

    head: bytes
    body: bytes = b""
