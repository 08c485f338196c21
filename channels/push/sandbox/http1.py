"""HTTP/1.1 for whoever asks with it: Google's token client, and the SDK where it is not asynchronous."""

import asyncio
from typing import cast

import h11

from channels.push.sandbox.wire import App, Asked, Fields


class Http1Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._parser = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport
        self._request: h11.Request
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes what the client says."""
        self._parser.receive_data(data)
        self._go_on()

    def _go_on(self) -> None:
        try:
            while True:
                event = self._parser.next_event()
                if isinstance(event, h11.Request):
                    self._request, self._body = event, b""
                elif isinstance(event, h11.Data):
                    self._body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    self._app.handle(self._asked(), self)
                else:
                    return
        except h11.RemoteProtocolError:
            self._transport.close()

    def _asked(self) -> Asked:
        path, _, query = self._request.target.decode("ascii").partition("?")
        headers = {name.decode(): value.decode("latin-1") for name, value in self._request.headers}
        client = "{}:{}".format(*self._transport.get_extra_info("peername")[:2])
        return Asked(self._request.method.decode(), path, query, headers, self._body, client)

    def answer(self, status: int, fields: Fields, body: bytes) -> None:
        """See wire.Wire."""
        self._app.settle()
        if self._transport.is_closing():
            return
        head = h11.Response(status_code=status, headers=[*fields, ("content-length", str(len(body)))])
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self._transport.write(self._parser.send(event) or b"")
        if self._parser.our_state is h11.MUST_CLOSE:
            self._transport.close()
        else:
            self._parser.start_next_cycle()
            self._go_on()

    def cut(self) -> None:
        """See wire.Wire."""
        self._app.settle()
        self._transport.abort()

    def reset(self, *, unread: bool) -> None:
        """See wire.Wire: HTTP/1.1 can end no request but with its connection."""
        del unread
        self.cut()

    def go_away(self) -> None:
        """See wire.Wire: the answer was the last word anyway."""
