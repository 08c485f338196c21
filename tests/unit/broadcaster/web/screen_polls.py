"""A screen on the town's market, and what it sends over a socket of its own."""

import socket

from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.town import Town

NEW = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}


def screen_key(town: Town) -> str:
    """The key of a new screen, whose feed is made."""
    made = town.client("hoa").post("/v1/screens", NEW).raise_for_status().json()["key"]
    town.catch_up()
    return made


def poll(key: str, *more: str) -> bytes:
    """A poll with that key and these headers."""
    lines = [f"GET {FEED_PATH} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(stream: socket.socket) -> bytes:
    """All until the server closes."""
    found = b""
    try:
        while piece := stream.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found
