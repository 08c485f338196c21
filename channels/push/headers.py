"""The header blocks of one connection (HPACK, RFC 7541): ours are one byte a header, theirs stand alone."""

import logging
from typing import NamedTuple

from hpack import Decoder, Encoder

from channels.push.request import Headers

# At DEBUG it tells whole headers, the access token's among them.
logging.getLogger("hpack").setLevel(logging.INFO)

TABLE = 4096
"""Bytes of headers that are sent once a connection instead of with each message (RFC 7541 §4.2)."""
OK = b"\x88"
"""`:status: 200` (RFC 7541, appendix A): most answers need no decoder."""


class Told(NamedTuple):
    """What an answer's headers say; status 0 where the real one is yet to come, or came before."""

    status: int
    retry_after: str


class HeaderBlocks:
    """Both directions."""

    def __init__(self) -> None:
        # Answers refer to nothing before them.
        self._decoder = Decoder()
        self._decoder.max_allowed_table_size = self._decoder.header_table_size = 0
        self._encoder = Encoder()
        self._headers: Headers = ()
        self._block = b""

    def encoded(self, headers: Headers) -> bytes:
        """The block that says them."""
        if headers is self._headers and self._block:
            return self._block
        block = self._encoder.encode(headers)
        # Once all are in the peer's table each is one byte, an index (RFC 7541 §6.1): such a block
        # changes no table, and stays true.
        self._headers, self._block = headers, block if all(byte & 0x80 for byte in block) else b""
        return block

    def resize(self, table: int) -> None:
        """The peer keeps a table of so many bytes."""
        self._encoder.header_table_size = min(TABLE, table)
        self._headers = ()

    def decoded(self, block: bytes) -> Told:
        """What an answer says. Raises HPACKError."""
        headers = dict(self._decoder.decode(block, raw=True))
        status = int(headers.get(b":status", 0))
        # 1xx comes before the real one; trailers, after it, say nothing to us.
        final = status if status >= 200 else 0  # noqa: PLR2004 (HTTP's own number)
        return Told(final, headers.get(b"retry-after", b"").decode("latin-1"))
