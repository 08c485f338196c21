"""The evidence bundle, and the script in it that checks it."""

import hashlib
import json
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from broadcaster.cli.app import app
from broadcaster.log import UnknownStreamError
from broadcaster.proof import chain, checkpoint, evidence, evidence_check
from broadcaster.rules import RefusedError
from broadcaster.runtime import SYSTEM, House, clock
from schemas.events import AttemptRefused, AudienceFrozen, Event, EvidenceExported, ReceiptRecorded
from tests.house import PHUC_XA, TRUC_BACH, approver, author, content, house
from tests.unit.schemas.examples import examples
from tests.waiting import PATIENCE


class Case(NamedTuple):
    """A house in which an alert was issued between others' doings, and what stands for outside."""

    house: House
    alert: UUID
    key: Ed25519PrivateKey
    public: Path
    folder: Path


@pytest.fixture
def case(city_database: str, tmp_path: Path) -> Iterator[Case]:
    with house(city_database, data=tmp_path / "data") as one:
        key = checkpoint.make_key(one.settings.checkpoint_key_path)
        public = tmp_path / "public.pem"
        public.write_text(checkpoint.public_pem(key))
        alert = one.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock()).id
        noise(one)
        one.alerts.submit(author(PHUC_XA), alert, at=clock())
        with pytest.raises(RefusedError):
            one.alerts.approve(author(PHUC_XA), alert, at=clock())
        one.alerts.approve(approver(PHUC_XA), alert, at=clock())
        one.alerts.issue(approver(PHUC_XA), alert, at=clock())
        noise(one)
        one.log.append([*delivered(alert)], at=clock())
        noise(one)
        yield Case(one, alert, key, public, tmp_path)


def noise(one: House) -> None:
    one.alerts.draft(author(TRUC_BACH), TRUC_BACH, content("00004"), at=clock())


def delivered(alert: UUID) -> Iterator[Event]:
    for event in examples():
        if isinstance(event, AudienceFrozen):
            yield event.model_copy(update={"originator_id": uuid4(), "alert_id": alert})
        if isinstance(event, ReceiptRecorded):
            dispatch = event.receipt.dispatch.model_copy(update={"alert_id": alert})
            receipt = event.receipt.model_copy(update={"dispatch": dispatch})
            yield event.model_copy(update={"originator_id": uuid4(), "receipt": receipt})


def bundle(case: Case, *, whole: bool = False, sign: bool = True) -> Path:
    signed = None
    if sign:
        path = case.house.settings.checkpoints_path
        made = checkpoint.notarise(case.house.log, case.key, "hanoi", path, clock())
        signed = evidence.Signed(made, case.public.read_text())
    out = case.folder / f"{uuid4()}.zip"
    upto = case.house.log.head()
    evidence.write(case.house.log, case.alert, out, upto=upto, at=clock(), signed=signed, whole=whole)
    return out


def files(out: Path) -> dict[str, bytes]:
    return evidence_check.files_of(out)


def judge(out: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the script of the bundle, alone, as its receiver would."""
    folder = out.with_suffix("")
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder)
    return run_in(folder, *args)


def run_in(folder: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(folder / "verify.py"), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=PATIENCE)


def test_everything_about_the_alert_is_in_it(case: Case) -> None:
    rows = [each.row for each in evidence.about(case.house.log, case.alert, case.house.log.head())]
    topics = [row.topic for row in rows]
    assert topics[-7:] == [
        "alert.drafted",
        "alert.submitted",
        "attempt.refused",
        "alert.approved",
        "alert.issued",
        "audience.frozen",
        "receipt.recorded",
    ]
    assert "issuer.registered" in topics
    granted = [row.state.decode() for row in rows if row.topic == "role.granted"]
    assert any('"author@ubnd-00001"' in state for state in granted)
    assert all("00004" not in state for state in granted)


def test_nothing_after_the_position_is_in_it(case: Case) -> None:
    upto = case.house.log.head()
    before = evidence.about(case.house.log, case.alert, upto)
    event = AttemptRefused(
        originator_id=uuid4(),
        originator_version=1,
        by=SYSTEM,
        command="x",
        rule="r",
        detail="",
        alert_id=case.alert,
    )
    case.house.log.append([event], at=clock())
    assert evidence.about(case.house.log, case.alert, upto) == before
    assert len(evidence.about(case.house.log, case.alert, upto + 1)) == len(before) + 1


def test_a_whole_bundle_proves_itself_with_the_key_from_outside(case: Case) -> None:
    told = judge(bundle(case, whole=True), "--public-key", case.public)
    assert told.returncode == evidence_check.PROVEN, told.stdout + told.stderr
    assert "VERDICT: PROVEN" in told.stdout


def test_a_bundle_without_the_run_says_that_it_is_no_proof_yet(case: Case) -> None:
    out = bundle(case)
    told = judge(out, "--public-key", case.public)
    assert told.returncode == evidence_check.UNPROVEN, told.stdout
    assert "needs --export, or a whole bundle" in told.stdout
    export = case.folder / "log.jsonl"
    export.write_text("".join(f"{line}\n" for line in chain.export(case.house.log)), encoding="utf-8")
    told = run_in(out.with_suffix(""), "--public-key", case.public, "--export", export)
    assert told.returncode == evidence_check.PROVEN, told.stdout


def test_the_key_in_the_bundle_proves_nothing(case: Case) -> None:
    told = judge(bundle(case, whole=True))
    assert told.returncode == evidence_check.UNPROVEN, told.stdout
    assert "get the city's key elsewhere" in told.stdout
    assert judge(bundle(case, whole=True, sign=False)).returncode == evidence_check.UNPROVEN


def test_a_flipped_byte_is_named(case: Case) -> None:
    out = bundle(case)
    whole = judge(out)
    assert whole.returncode == evidence_check.UNPROVEN
    rows = out.with_suffix("") / "rows.jsonl"
    data = bytearray(rows.read_bytes())
    data[data.index(b"approver@", data.index(b'"alert.approved"'))] ^= 1
    number = data[: data.index(b'"alert.approved"')].count(b"\n") + 1
    rows.write_bytes(data)
    told = run_in(out.with_suffix(""))
    assert told.returncode == evidence_check.ALTERED
    assert f"BAD: rows.jsonl line {number} (position" in told.stdout
    assert "BAD: rows.jsonl is not as the manifest lists it" in told.stdout
    assert "VERDICT: ALTERED" in told.stdout


def test_a_flipped_byte_of_any_file_is_found(case: Case) -> None:
    good = files(bundle(case, whole=True))
    outside = case.public.read_bytes()
    assert evidence_check.verdict(good, outside, None)[0] == evidence_check.PROVEN
    for name, data in good.items():
        for place in {0, len(data) // 2, len(data) - 1}:
            bad = bytearray(data)
            bad[place] ^= 1
            code, words = evidence_check.verdict({**good, name: bytes(bad)}, outside, None)
            if name != "manifest.json":
                assert code == evidence_check.ALTERED, (name, place)
                assert any(name in line for line in words), (name, words)


def test_a_damaged_archive_is_named(case: Case) -> None:
    out = bundle(case)
    data = bytearray(out.read_bytes())
    data[200] ^= 0xFF
    out.write_bytes(data)
    script = Path(evidence_check.__file__)
    command = [sys.executable, "-I", str(script), str(out)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert told.returncode == evidence_check.ALTERED
    assert "README.txt is damaged" in told.stdout


def remade(good: dict[str, bytes], **changed: bytes) -> dict[str, bytes]:
    """As a forger who lists his own files in the manifest."""
    names = {name.replace("__", "."): data for name, data in changed.items()}
    made = {**good, **names}
    manifest = json.loads(made["manifest.json"])
    manifest["files"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in made.items() if name != "manifest.json"
    }
    return {**made, "manifest.json": json.dumps(manifest).encode()}


def forged(lines: list[str], previous: str, old: str, new: str) -> Iterator[str]:
    """The run with a word changed and every hash made anew."""
    for line in lines:
        row = json.loads(line.replace(old, new))
        previous = row["chain"] = evidence_check.link(previous, row)
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def test_a_forger_without_the_key_is_found(case: Case) -> None:
    good = files(bundle(case, whole=True))
    outside = case.public.read_bytes()
    rows = good["rows.jsonl"].decode().splitlines()
    lines = good["log.jsonl"].decode().splitlines()
    run = list(forged(lines, rows[0].split(" ")[0], "approver@", "forger@"))
    by_position = {json.loads(line)["position"]: line for line in run}
    before = {at: json.loads(line)["chain"] for at, line in by_position.items()}
    first = min(by_position)
    before[first - 1] = rows[0].split(" ")[0]
    own = [by_position[json.loads(row.partition(" ")[2])["position"]] for row in rows]
    own = [f"{before[json.loads(line)['position'] - 1]} {line}" for line in own]
    made = remade(
        good,
        log__jsonl="".join(f"{line}\n" for line in run).encode(),
        rows__jsonl="".join(f"{line}\n" for line in own).encode(),
    )
    code, words = evidence_check.verdict(made, outside, None)
    assert code == evidence_check.ALTERED
    assert [line for line in words if line.startswith("BAD")] == [
        f"BAD: the chain at position {max(by_position)} is not the signed one: rewritten."
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"position":', b'{"note":"forged","position":'),
        (b'"version":1,', b'"version":"1",'),
        (b'{"position":', b'{"position":1,"position":'),
        (b'"topic"', b' "topic"'),
    ],
)
def test_what_the_hash_does_not_cover_is_not_let_in(case: Case, old: bytes, new: bytes) -> None:
    good = files(bundle(case, whole=True))
    made = remade(good, rows__jsonl=good["rows.jsonl"].replace(old, new, 1))
    code, words = evidence_check.verdict(made, case.public.read_bytes(), None)
    assert code == evidence_check.ALTERED
    assert "BAD: rows.jsonl line 1 cannot be read as a row of the log: it was altered." in words


def test_leaving_an_event_out_is_found(case: Case) -> None:
    good = files(bundle(case, whole=True))
    kept = [line for line in good["rows.jsonl"].splitlines(keepends=True) if b"attempt.refused" not in line]
    code, words = evidence_check.verdict(
        remade(good, rows__jsonl=b"".join(kept)), case.public.read_bytes(), None
    )
    assert code == evidence_check.ALTERED
    assert any("names the alert and was left out" in line for line in words)
    manifest = good["manifest.json"].replace(b'"upto": ', b'"upto": -')
    made = remade({**good, "manifest.json": manifest}, rows__jsonl=b"".join(kept))
    code, words = evidence_check.verdict(made, case.public.read_bytes(), None)
    assert any("names the alert and was left out" in line for line in words)
    kept = [line for line in good["rows.jsonl"].splitlines(keepends=True) if b"alert.approved" not in line]
    code, words = evidence_check.verdict(remade(good, rows__jsonl=b"".join(kept)), None, None)
    assert any("own events are not complete" in line for line in words)


def test_the_command_line_writes_it_and_the_log_knows(city_database: str, case: Case) -> None:
    env = {"BROADCASTER_DATABASE_URL": city_database, "BROADCASTER_DATA": str(case.house.settings.data)}

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, args, env=env)

    out = case.folder / "case.zip"
    told = run("evidence", str(case.alert), "--out", str(out), "--whole", "--by", "kiem")
    assert told.exit_code == 0, told.output
    (found,) = case.house.log.read(0, 10, [EvidenceExported.TOPIC])
    assert isinstance(found.event, EvidenceExported)
    assert found.event.by.account == "kiem"
    assert found.event.alert_id == case.alert
    assert found.event.upto == found.position - 1
    assert found.event.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert judge(out, "--public-key", case.public).returncode == evidence_check.PROVEN
    assert run("evidence", str(case.alert), "--out", str(out)).exit_code != 0
    with pytest.raises(UnknownStreamError):
        evidence.about(case.house.log, uuid4(), found.position)
    again = case.folder / "again.zip"
    assert run("evidence", str(case.alert), "--out", str(again)).exit_code == 0
    assert b'"evidence.exported"' in files(again)["rows.jsonl"]


@given(st.binary(max_size=80), st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_our_ed25519_agrees_with_the_library(text: bytes, seed: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(text)
    assert evidence_check.signed(public, signature, text)
    assert not evidence_check.signed(public, signature, text + b".")
    bad = bytearray(signature)
    bad[bit // 8] ^= 1 << bit % 8
    assert not evidence_check.signed(public, bytes(bad), text)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert evidence_check.raw_key(pem) == public
    with pytest.raises(evidence_check.FaultError):
        evidence_check.raw_key(b64encode(b"x" * 44))
