"""Controllers in a process of their own, on real sockets: it reads a command a line, and answers a line.

`python -m tests.bench.controllers PORT PATH KEYS`; PATH is what is asked for, KEYS a file of keys.
Commands: `connect`, `poll SECONDS EVERY`, `wait` (answers once all wait, then once all were woken),
`spin CLIENTS SECONDS VARY`, `probe CLIENTS SECONDS`, `hostile SECONDS`.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop

AT_ONCE = 200


class Controller(asyncio.Protocol):
    """One connection, a request at a time."""

    def __init__(self, path: str, key: str) -> None:
        self.start = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n".encode()
        self.tag = b""
        self.transport: asyncio.Transport | None = None
        self.answered: asyncio.Future[None] | None = None
        self.status, self.at, self._data, self._rest = b"", 0.0, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own is no asyncio.Transport by class.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_exception(exc or ConnectionResetError("the server has closed"))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            self._rest -= len(data)
        else:
            self._data += data
            head, end, body = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            self._data, self.status = b"", head[9:12]
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b": ")
                if name.lower() == b"etag":
                    self.tag = value
                elif name.lower() == b"content-length" and self.status != b"304":
                    self._rest = int(value) - len(body)
        if self._rest <= 0 and self.answered is not None and not self.answered.done():
            self._rest, self.at = 0, time.monotonic()
            self.answered.set_result(None)

    def ask(self, more: bytes = b"") -> asyncio.Future[None]:
        """Polls with the tag it has."""
        assert self.transport is not None
        self.answered = asyncio.get_running_loop().create_future()
        tag = b"If-None-Match: " + self.tag + b"\r\n" if self.tag else b""
        self.transport.write(self.start + tag + more + b"\r\n")
        return self.answered


class Herd:
    """All of them."""

    def __init__(self, port: int, path: str, keys: list[str]) -> None:
        self.port, self.path, self.keys = port, path, keys
        self.all: list[Controller] = []

    async def dial(self, key: str) -> Controller:
        made = await asyncio.get_running_loop().create_connection(
            lambda: Controller(self.path, key), "127.0.0.1", self.port
        )
        return made[1]

    async def connect(self) -> dict[str, Any]:
        began = time.monotonic()
        for start in range(0, len(self.keys), AT_ONCE):
            new = await asyncio.gather(*map(self.dial, self.keys[start : start + AT_ONCE]))
            await asyncio.gather(*(one.ask() for one in new))
            self.all += new
        bad = sum(one.status != b"200" for one in self.all)
        return {"seconds": time.monotonic() - began, "bad": bad}

    async def poll(self, seconds: float, every: float) -> dict[str, Any]:
        """Spread evenly, as jitter does."""
        began, count, bad = time.monotonic(), len(self.all), 0
        late: list[float] = []
        asked = 0
        while time.monotonic() < began + seconds:
            due = min(int((time.monotonic() - began) / every * count), int(seconds / every * count))
            while asked < due:
                one = self.all[asked % count]
                sent = time.monotonic()
                if one.answered is None or one.answered.done():
                    one.ask().add_done_callback(lambda _, s=sent: late.append(time.monotonic() - s))
                asked += 1
            await asyncio.sleep(0.01)
        while asked < int(seconds / every * count):  # Those due in the last moment.
            one = self.all[asked % count]
            if one.answered is None or one.answered.done():
                one.ask()
            asked += 1
        await asyncio.wait([one.answered for one in self.all if one.answered], timeout=10)
        bad = sum(one.status != b"304" for one in self.all)
        return {"polls": len(late), "bad": bad} | percentiles(late)

    async def wait(self) -> dict[str, Any]:
        """Everyone waits; answers when each was told."""
        asked = [one.ask(b"Prefer: wait=55\r\n") for one in self.all]
        await asyncio.sleep(1.0)
        say({"waiting": sum(not one.done() for one in asked)})
        await asyncio.wait(asked, timeout=56)
        told = sorted(one.at for one in self.all if one.status == b"200")
        return {"told": len(told), "first": told[0] if told else 0, "last": told[-1] if told else 0}

    async def spin(self, clients: int, seconds: float, vary: int = 0) -> dict[str, Any]:
        """As fast as they go, each a request at a time; with `vary`, each says another state."""
        until = time.monotonic() + seconds
        late: list[float] = []

        async def one(key: str) -> None:
            client = await self.dial(key)
            await client.ask()
            while (sent := time.monotonic()) < until:
                await client.ask(b"X-Screen-State: up=%d\r\n" % len(late) if vary else b"")
                late.append(time.monotonic() - sent)
            assert client.status == b"304", client.status
            assert client.transport
            client.transport.close()

        await asyncio.gather(*map(one, self.keys[:clients]))
        return {"polls": len(late)} | percentiles(late)

    async def probe(self, clients: int, seconds: float) -> dict[str, Any]:
        """A poll of each every 50 ms: how long it takes."""
        until, late = time.monotonic() + seconds, list[float]()

        async def one(key: str) -> None:
            client = await self.dial(key)
            await client.ask()
            while time.monotonic() < until:
                sent = time.monotonic()
                await client.ask()
                late.append(time.monotonic() - sent)
                await asyncio.sleep(0.05)

        await asyncio.gather(*map(one, self.keys[:clients]))
        return {"polls": len(late)} | percentiles(late)

    async def hostile(self, seconds: float) -> dict[str, Any]:
        """Who drips, who sends huge heads, and who guesses keys, until the time is up."""
        until = time.monotonic() + seconds
        crowd = {"slow": 300, "huge": 10, "key": 60, "key_known": 20}
        counts: dict[str, Any] = dict.fromkeys(crowd, 0)

        async def again(kind: str, number: int) -> None:
            while time.monotonic() < until:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    await self._attack(kind, number, reader, writer, until)
                    writer.close()
                    counts[kind] += 1
                except OSError:
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(again(kind, n) for kind, many in crowd.items() for n in range(many)))
        return counts

    async def _attack(
        self,
        kind: str,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        until: float,
    ) -> None:
        head = f"GET {self.path} HTTP/1.1\r\nHost: x\r\n".encode()
        if kind == "slow":
            writer.write(head)
            while time.monotonic() < until and not reader.at_eof():
                writer.write(b"X")
                await asyncio.sleep(1.0)
            return
        if kind == "huge":
            writer.write(head + b"X: " + b"x" * 60_000 + b"\r\n\r\n")
        else:
            known = self.keys[number].split("_")[1]
            key = f"hn_{known}_x" if kind == "key_known" else f"hn_{number:08}{id(reader):x}_x"
            writer.write(head + f"Authorization: Bearer {key}\r\n\r\n".encode())
        await reader.read(2_000)
        await asyncio.sleep(0.02)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    found = sorted(seconds) or [0.0]
    return {
        "p50_ms": found[len(found) // 2] * 1e3,
        "p95_ms": found[int(len(found) * 0.95)] * 1e3,
        "p99_ms": found[int(len(found) * 0.99)] * 1e3,
    }


def say(told: dict[str, Any]) -> None:
    """One line to who asked."""
    print(json.dumps(told), flush=True)


async def main(port: int, path: str, keys: list[str]) -> None:
    """Obeys until its input ends."""
    herd = Herd(port, path, keys)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, *numbers = line.split()
        say(await getattr(herd, command)(*map(float if "." in line else int, numbers)))


if __name__ == "__main__":
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text().split()))
