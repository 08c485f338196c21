"""The double is a double: Google's own SDK speaks to it, and its counts outlive it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from firebase_admin import credentials, exceptions, messaging
from google.auth.credentials import Credentials

from channels.gateway import Recipient, Result
from channels.push import PushGateway, PushSettings
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.shape import ShapeError, parsed
from channels.push.tokens import AccessTokens, TokenError
from schemas.dispatch import Outcome
from tests.contract.gateways import AT, message
from tests.processes import gone
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


def send(sandbox: PushSandbox, *addresses: str) -> list[Result]:
    people = [Recipient(n, n, address, "token", "ios", "vi") for n, address in enumerate(addresses)]

    async def scenario() -> list[Result]:
        settings = PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file)
        async with PushGateway(settings, lambda: AT) as gateway:
            return await gateway.send(message(), people)

    return asyncio.run(scenario())


class _Google(Credentials):
    """An access token and no more: for a service account google-auth would call iamcredentials too."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def refresh(self, request: Any) -> None:
        """The SDK asks at every 401, THIRD_PARTY_AUTH_ERROR included."""
        del request


class _Token(credentials.Base):
    def __init__(self, token: str) -> None:
        self._token = _Google(token)

    def get_credential(self) -> Any:
        return self._token


@pytest.fixture
def sdk(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[firebase_admin.App]:
    """firebase-admin, pointed at the double."""

    async def token() -> str:
        tokens = AccessTokens(sandbox.credentials_file, sandbox.ca_file, PATIENCE)
        await tokens.ready()
        await tokens.close()
        return tokens.token

    url = f"{sandbox.url}/v1/projects/{{0}}/messages:send"
    monkeypatch.setattr(vars(messaging)["_MessagingService"], "FCM_URL", url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca_file))
    app = firebase_admin.initialize_app(_Token(asyncio.run(token())), {"projectId": sandbox.project}, "sdk")
    yield app
    sandbox.behave()
    with warnings.catch_warnings():
        # The SDK leaves its asynchronous client to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        firebase_admin.delete_app(app)


def test_googles_sdk_takes_it_for_fcm(sandbox: PushSandbox, sdk: firebase_admin.App) -> None:
    def send_theirs(address: str) -> str:
        return messaging.send(messaging.Message(fid=address, data={"alert_id": "a"}), app=sdk)

    before = sandbox.count().received
    assert send_theirs("phone-1").startswith(f"projects/{sandbox.project}/messages/")
    assert sandbox.count().received == before + 1
    for prefix, error in (
        ("gone-", messaging.UnregisteredError),
        ("mismatch-", messaging.SenderIdMismatchError),
        ("bad-", exceptions.InvalidArgumentError),
        ("malformed-", exceptions.InvalidArgumentError),
    ):
        with pytest.raises(error):
            send_theirs(f"{prefix}1")
    for name, error in (
        ("THIRD_PARTY_AUTH_ERROR", messaging.ThirdPartyAuthError),
        ("QUOTA_EXCEEDED", messaging.QuotaExceededError),
    ):
        sandbox.behave(Behaviour(errors={name: 1.0}))
        with pytest.raises(error):
            send_theirs("phone-2")


def test_same_bytes_reach_it_from_the_sdk_and_from_us(
    sandbox: PushSandbox, sdk: firebase_admin.App
) -> None:
    assert send(sandbox, "phone-1")[0].outcome is Outcome.ACCEPTED
    (ours,) = sandbox.messages(1)
    theirs = ours["message"]
    android, apns = theirs["android"], theirs["apns"]
    messaging.send(
        messaging.Message(
            fid="phone-1",
            notification=messaging.Notification(**theirs["notification"]),
            data=theirs["data"],
            android=messaging.AndroidConfig(
                collapse_key=android["collapse_key"],
                priority=android["priority"],
                ttl=int(android["ttl"].removesuffix("s")),
                notification=messaging.AndroidNotification(
                    tag=android["notification"]["tag"],
                    channel_id=android["notification"]["channel_id"],
                    visibility="public",
                ),
            ),
            apns=messaging.APNSConfig(
                headers=apns["headers"],
                payload=messaging.APNSPayload(
                    messaging.Aps(sound="default", custom_data={"interruption-level": "time-sensitive"})
                ),
            ),
            webpush=messaging.WebpushConfig(
                headers=theirs["webpush"]["headers"],
                notification=messaging.WebpushNotification(
                    tag=theirs["webpush"]["notification"]["tag"], renotify=True
                ),
            ),
        ),
        app=sdk,
    )
    assert sandbox.messages(1)[0]["message"] == theirs


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"message": {"token": "t", "data": {"a": 1}}}, "message.data.a"),
        ({"message": {"token": "t", "extra": 1}}, "message.extra"),
        ({"message": {}}, "message"),
        ({"message": {"token": "t", "fid": "f"}}, "message"),
        ({"message": {"token": "t", "android": {"ttl": "1m"}}}, "message.android.ttl"),
        ({"message": {"token": "t", "android": {"priority": "urgent"}}}, "message.android.priority"),
        (
            {"message": {"token": "t", "webpush": {"headers": {"Topic": "x" * 33}}}},
            "message.webpush.headers.Topic",
        ),
        (
            {"message": {"token": "t", "apns": {"headers": {"apns-collapse-id": "x" * 65}}}},
            "message.apns.headers.apns-collapse-id",
        ),
        ({"message": {"token": "t", "data": {"a": "x" * 4096}}}, ""),
        ({}, "message"),
    ],
)
def test_refuses_what_fcm_refuses(body: object, field: str) -> None:
    with pytest.raises(ShapeError) as refused:
        parsed(json.dumps(body).encode())
    assert refused.value.field == field


def test_tokens_only_for_who_holds_the_key(sandbox: PushSandbox, tmp_path: Path) -> None:
    account = json.loads(sandbox.credentials_file.read_text())
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(account | {"private_key": pem}))

    async def grant(path: Path) -> None:
        tokens = AccessTokens(path, sandbox.ca_file, PATIENCE)
        try:
            await tokens.ready()
        finally:
            await tokens.close()

    asyncio.run(grant(sandbox.credentials_file))
    with pytest.raises(TokenError) as refused:
        asyncio.run(grant(forged))
    assert "invalid_grant" in str(refused.value.__cause__)


def test_files(sandbox: PushSandbox) -> None:
    folder = sandbox.credentials_file.parent
    for name in ("service-account.json", "server.key", "journal"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert json.loads((folder / "endpoint.json").read_text()) == {
        "url": sandbox.url,
        "project": sandbox.project,
    }


def test_killed_it_forgets_nothing(tmp_path: Path) -> None:
    sandbox = PushSandbox(tmp_path)
    with sandbox:
        send(sandbox, "phone-1", "phone-2", "gone-3")
        url, count = sandbox.url, sandbox.count()
        sandbox.kill()
        # As if the machine had stopped in the middle of a line.
        with (tmp_path / "journal").open("ab") as journal:
            journal.write(b"+0123")
        sandbox.start()
        assert sandbox.url == url
        assert sandbox.count() == count
        assert (count.received, count.unique, count.refused) == (2, 2, {"UNREGISTERED": 1})
        send(sandbox, "phone-1")
        assert sandbox.count().received == 3
        os.kill(sandbox.pid, signal.SIGTERM)
        until(lambda: gone(sandbox.pid))
    assert sandbox.log_file.read_text() == ""
    noted = (tmp_path / "journal").read_text()
    assert "phone-" not in noted
    assert re.fullmatch(r"(\+[0-9a-f]{16} [0-9a-f-]{36} 1\n|-UNREGISTERED\n){4}", noted)


def test_journal_counts_repeats(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for address, version in (("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")):
            journal.accept(address, "alert", version)
        journal.refuse("INTERNAL")
        count = journal.count()
        assert (count.received, count.unique, count.duplicates, count.refused) == (4, 3, 1, {"INTERNAL": 1})
    with Journal(path) as journal:
        assert journal.count() == count


def test_one_folder_one_double(sandbox: PushSandbox) -> None:
    with pytest.raises(RuntimeError, match="BlockingIOError"):
        PushSandbox(sandbox.credentials_file.parent).start()
    assert sandbox.count().received >= 0, "the first one is unharmed"


PARENT = """
import sys, time
from pathlib import Path
from channels.push.sandbox import PushSandbox
sandbox = PushSandbox(Path(sys.argv[1]))
sandbox.start()
print(sandbox.pid, flush=True)
time.sleep(600)
"""


def test_dies_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()

    until(lambda: gone(pid))
