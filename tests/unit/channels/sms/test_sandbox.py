import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from channels.gateway import SandboxCount
from channels.sms import MailGateway, SmsGateway
from channels.sms.sandbox import Endpoint, SmscSandbox, SmtpSandbox, read_endpoint
from channels.sms.sandbox.journal import Journal, read_count
from schemas.dispatch import Outcome
from tests.unit.channels.sms.carriers import LONG, alert, mail, outcomes, smpp, someone
from tests.waiting import until

ROOT = Path(__file__).parents[4]
SERVE = "import asyncio, sys; from pathlib import Path; from channels.sms.sandbox import run; "


def start(folder: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", f"{SERVE}asyncio.run(run(Path(sys.argv[1])))", folder], cwd=ROOT
    )
    until(lambda: _answers(folder / "smsc") and _answers(folder / "smtp"))
    return child


def _answers(folder: Path) -> bool:
    try:
        return asked(read_endpoint(folder))["received"] >= 0
    except OSError:
        return False


def asked(at: Endpoint) -> dict[str, int]:
    with urlopen(at.stats_url) as answer:
        return json.loads(answer.read())


def test_counts_and_ports_outlive_a_kill(tmp_path: Path) -> None:
    child = start(tmp_path)
    at, relay = read_endpoint(tmp_path / "smsc"), read_endpoint(tmp_path / "smtp")

    async def scenario() -> None:
        nonlocal child
        async with SmsGateway(smpp(at, patience=10)) as sms, MailGateway(mail(relay, patience=10)) as post:
            message, people = alert(LONG), [someone() for _ in range(5)]
            for gateway in (sms, post):
                assert outcomes(await gateway.send(message, people)) == [Outcome.ACCEPTED] * 5
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child = await asyncio.to_thread(start, tmp_path)
            for gateway in (sms, post):
                again = await gateway.send(message, [people[0], someone(), someone("0000004")])
                assert outcomes(again) == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.GONE]

    try:
        asyncio.run(scenario())
        assert (read_endpoint(tmp_path / "smsc"), read_endpoint(tmp_path / "smtp")) == (at, relay)
        for place, refused in ((at, "status 0x00000401"), (relay, "550 5.1.1")):
            assert asked(place) == {"received": 7, "unique": 6, "duplicates": 1, "refused": {refused: 1}}
    finally:
        child.terminate()
        child.wait()


@pytest.mark.parametrize("house", [SmscSandbox, SmtpSandbox])
def test_only_its_owner_reads_the_password(tmp_path: Path, house: type[SmscSandbox]) -> None:
    with house(tmp_path / "deep" / "er") as sandbox:
        path = sandbox.folder / "endpoint.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((sandbox.folder / "journal").stat().st_mode) == 0o600
        assert len(sandbox.endpoint.password) == 8


def test_a_taken_port_is_an_error(tmp_path: Path) -> None:
    with SmscSandbox(tmp_path), pytest.raises(OSError, match="in use"):
        SmscSandbox(tmp_path).start()


def test_behaviour_is_set_over_http(tmp_path: Path) -> None:
    with SmscSandbox(tmp_path) as smsc:
        url = smsc.endpoint.stats_url.replace("count", "behaviour")
        urlopen(Request(url, b'{"throttle_share": 0.25}')).close()
        assert smsc.behaviour.throttle_share == 0.25
        urlopen(Request(url, b"{}")).close()
        assert smsc.behaviour.throttle_share == 0
        for body, status in ((b'{"throttle_share": 7}', 400), (b'{"mood": 1}', 400), (b"{", 400)):
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(url, body))
            assert refused.value.code == status
            refused.value.close()
        with pytest.raises(HTTPError) as unknown:
            urlopen(smsc.endpoint.stats_url + "s")
        assert unknown.value.code == 404
        unknown.value.close()


def test_a_message_counts_once_all_its_parts_are_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for part in (1, 2, 1, 2):
        journal.accept("alert/1", "84912345678", part, 3)
    assert journal.count() == SandboxCount()
    journal.close()
    journal = Journal(tmp_path / "journal")
    journal.accept("alert/1", "84912345678", 3, 3)
    assert journal.count() == SandboxCount(1, 1)
    journal.accept("alert/1", "84912345678", 3, 3)
    journal.accept("alert/2", "84912345678")
    journal.refuse("busy")
    assert (journal.count(), journal.count().duplicates) == (SandboxCount(3, 2, {"busy": 1}), 1)
    journal.close()
    assert read_count(tmp_path / "journal") == SandboxCount(3, 2, {"busy": 1})
    assert "84912345678" not in (tmp_path / "journal").read_text()


def test_a_line_cut_short_is_no_message(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.accept("alert/1", "84912345678")
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-3])
    journal = Journal(path)
    assert journal.count() == SandboxCount(1, 1)
    journal.accept("alert/2", "84912345678")
    journal.close()
    assert read_count(path) == SandboxCount(2, 2)
