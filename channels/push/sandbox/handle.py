"""A double in a process of its own, held by a test or a demonstration."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError

from channels.gateway import SandboxCount
from channels.push.sandbox.behaviour import Behaviour
from channels.push.sandbox.estate import PROJECT, Estate

START_LIMIT = 20.0
STOP_LIMIT = 10.0
ROOT = Path(__file__).parents[3]


class PushSandbox:
    """`with PushSandbox(folder) as sandbox:`, or `async with`. It dies with the process that holds it.

    `stop` or `kill` it and `start` it again: it has the same URL, account and counts.
    """

    project = PROJECT
    module = "channels.push.sandbox"
    """What is run."""

    def __init__(self, folder: Path) -> None:
        self._estate = Estate(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._client: SyncClient | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def url(self) -> str:
        """The base URL, for PushSettings."""
        return self._estate.url

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self._estate.ca_file

    @property
    def credentials_file(self) -> Path:
        """The service account's key."""
        return self._estate.credentials_file

    @property
    def log_file(self) -> Path:
        """What the process printed."""
        return self._estate.folder / "sandbox.log"

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process, "not started"
        return self._process.pid

    def start(self) -> None:
        """Starts it and waits until it answers. Raises RuntimeError where it does not."""
        assert self._process is None, "started already"
        self._estate.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", self.module, self._estate.folder.resolve()],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        try:
            self._await_answer(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stops it; what it has begun to answer it answers."""
        self._end("terminate")

    def kill(self) -> None:
        """Kills it (SIGKILL)."""
        self._end("kill")

    def count(self) -> SandboxCount:
        """What it received since its journal began."""
        count = self._ask("GET", "/sandbox/count")
        return SandboxCount(count["received"], count["unique"], count["refused"])

    def tokens_granted(self) -> int:
        """Access tokens given in this life."""
        return self._ask("GET", "/sandbox/count")["tokens_granted"]

    def messages(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last it accepted, oldest first: `message` without its address, `suffix`, `connection`."""
        return self._ask("GET", f"/sandbox/messages?limit={limit}")

    def topics(self) -> dict[str, int]:
        """How many are subscribed to each topic in this life."""
        return {topic: len(found) for topic, found in self.members().items()}

    def members(self, *, forget: bool = False) -> dict[str, list[str]]:
        """The last six characters of each address subscribed, by topic; and then nobody is in any."""
        return self._ask("DELETE" if forget else "GET", "/sandbox/topics")

    def behave(self, behaviour: Behaviour | None = None) -> None:
        """From now on, it misbehaves so; without an argument, well."""
        self._ask("POST", "/sandbox/behaviour", (behaviour or Behaviour()).model_dump_json())

    def _ask(self, method: str, path: str, body: str = "") -> Any:
        assert self._client, "not started"
        response = self._client.request(method, self.url + path).body_text(body).build().send()
        assert response.status == 200, f"{path}: {response.status}"  # noqa: PLR2004 (HTTP's own number)
        return json.loads(response.text())

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = monotonic() + START_LIMIT
        while monotonic() < deadline and process.poll() is None:
            if self._estate.endpoint_file.exists():
                ca = self.ca_file.read_bytes()
                self._client = SyncClientBuilder().http2(enable=True).add_root_certificate_pem(ca).build()
                try:
                    # Not another's, that holds the folder already.
                    if self._ask("GET", "/sandbox/count")["pid"] == process.pid:
                        return
                except PyreqwestError:
                    pass
                self._client.close()
            sleep(0.02)
        raise RuntimeError(f"the push sandbox does not answer: {self.log_file.read_text()[-2000:]}")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if self._client:
            self._client.close()
        assert process.stdin
        process.stdin.close()
        getattr(process, how)()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
