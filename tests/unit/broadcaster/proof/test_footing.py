"""What an alert stood on: recorded by the alert, shown as of any instant, proven by its evidence."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broadcaster.account import Role
from broadcaster.commands.delegations import DelegationCommands
from broadcaster.delegation import Delegation
from broadcaster.proof import checkpoint, evidence, evidence_check
from broadcaster.proof.as_of import as_of, recorded
from broadcaster.runtime import SYSTEM, House, clock
from projections.audit.words import describe
from schemas.events import AlertIssued, AlertSubmitted
from tests.house import BA_DINH, PHUC_XA, TRUC_BACH, approver, author, content, house, manager
from tests.unit.broadcaster.proof.test_evidence import remade

NEXT_DOOR = "00004"


class Case(NamedTuple):
    """An alert that one commune issued in another, because the district let it."""

    house: House
    alert: UUID
    given: Delegation
    key: Ed25519PrivateKey
    folder: Path


def grant(hanoi: House, grantee: str, *areas: str) -> Delegation:
    return DelegationCommands(hanoi.office).grant(
        manager(BA_DINH),
        BA_DINH,
        grantee,
        fields=[content().category],
        areas=areas,
        starts_at=None,
        ends_at=clock() + timedelta(hours=2),
        at=clock(),
    )


def issue(hanoi: House, *areas: str) -> UUID:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(*areas), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert.id, at=clock())
    return alert.id


@pytest.fixture
def case(city_database: str, tmp_path: Path) -> Iterator[Case]:
    with house(city_database, data=tmp_path / "data") as hanoi:
        key = checkpoint.make_key(hanoi.settings.checkpoint_key_path)
        grant(hanoi, TRUC_BACH, "00001")
        given = grant(hanoi, PHUC_XA, NEXT_DOOR)
        alert = issue(hanoi, NEXT_DOOR)
        DelegationCommands(hanoi.office).revoke(manager(BA_DINH), given.id, at=clock())
        yield Case(hanoi, alert, given, key, tmp_path)


def events(hanoi: House, alert: UUID) -> list[Any]:
    return [each.event for each in hanoi.log.everything() if each.event.originator_id == alert]


def test_an_alert_names_the_delegation_it_stood_on(case: Case) -> None:
    told = {type(each): each for each in events(case.house, case.alert)}
    submitted, issued = told[AlertSubmitted], told[AlertIssued]
    assert submitted.delegation_id == issued.delegation_id == case.given.id
    assert str(case.given.id) in describe(issued).en
    assert str(case.given.id) in describe(submitted).vi
    alert = case.house.office.alert(case.alert)
    assert alert.issued is not None
    assert alert.issued.delegation_id == case.given.id


def test_on_its_own_rights_it_names_none(case: Case) -> None:
    grant(case.house, PHUC_XA, "00001")
    for event in events(case.house, issue(case.house, "00001")):
        assert b"delegation" not in event.payload()


def test_as_of_tells_it_until_the_version_is_returned(case: Case) -> None:
    hanoi = case.house
    given = grant(hanoi, PHUC_XA, NEXT_DOOR)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(NEXT_DOOR), at=clock()).id

    def told() -> UUID | None:
        (one,) = as_of(recorded(hanoi.log), clock(), alert).alerts
        return one.hands.delegation_id

    assert told() is None
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    assert told() == given.id
    hanoi.alerts.send_back(approver(PHUC_XA), alert, "sai", at=clock())
    assert told() is None
    (stood,) = as_of(recorded(hanoi.log), clock()).alerts
    assert (stood.alert_id, stood.hands.delegation_id) == (case.alert, case.given.id)


def bundle(case: Case) -> tuple[dict[str, bytes], bytes]:
    path = case.house.settings.checkpoints_path
    made = checkpoint.notarise(case.house.log, case.key, "hanoi", path, clock())
    public = checkpoint.public_pem(case.key)
    out = case.folder / "case.zip"
    head = made.position
    signed = evidence.Signed(made, public)
    evidence.write(case.house.log, case.alert, out, upto=head, at=clock(), signed=signed, whole=True)
    return evidence_check.files_of(out), public.encode()


def test_its_evidence_holds_the_edition_its_areas_are_of(case: Case) -> None:
    files, public = bundle(case)
    editions = [told["edition"] for topic, told in topics(files) if topic == "area_register.adopted"]
    assert editions == ["2020-03-01"]
    code, words = evidence_check.verdict(files, public, None)
    assert code == evidence_check.PROVEN, words
    assert not any("title covers" in line or "unproven" in line for line in words)
    lines = files["rows.jsonl"].splitlines(keepends=True)
    less = b"".join(line for line in lines if b'"area_register.adopted"' not in line)
    code, words = evidence_check.verdict(remade(files, rows__jsonl=less), public, None)
    assert code == evidence_check.ALTERED
    assert any("edition 2020-03-01, which is not in the bundle" in line for line in words)


def test_an_area_that_the_title_does_not_cover_is_told(case: Case) -> None:
    files, _ = bundle(case)
    check = evidence_check.Check(files)
    check.listed()
    check.own_rows()
    for row in check.read:
        if row["topic"] == "alert.issued":
            del row["payload"]["delegation_id"]
    check.footing()
    # The body's own area does not hold what it issued on the delegation.
    assert [line for line in check.notes if f"area {NEXT_DOOR} lies in none" in line]


def test_a_bundle_of_the_format_before_is_read_and_its_areas_are_unproven(case: Case) -> None:
    files, _ = bundle(case)
    lines = files["rows.jsonl"].splitlines(keepends=True)
    less = b"".join(line for line in lines if b'"area_register.adopted"' not in line)
    older = remade(files, rows__jsonl=less)
    older["manifest.json"] = older["manifest.json"].replace(b"evidence 2", b"evidence 1")
    check = evidence_check.Check(older)
    check.listed()
    check.own_rows()
    check.footing()
    assert check.faults == []
    assert any("areas unproven" in line for line in check.notes)


def topics(files: dict[str, bytes]) -> list[tuple[str, dict[str, Any]]]:
    rows = [json.loads(line.partition(" ")[2]) for line in files["rows.jsonl"].decode().splitlines()]
    return [(row["topic"], row["payload"]) for row in rows]


def test_its_evidence_holds_the_delegation_and_who_gave_it(case: Case) -> None:
    files, public = bundle(case)
    rows = topics(files)
    registered = {told["issuer_id"] for topic, told in rows if topic == "issuer.registered"}
    assert registered == {PHUC_XA, BA_DINH}
    given = [told["delegation_id"] for topic, told in rows if topic.startswith("delegation.")]
    assert given == [str(case.given.id)] * 2  # granted and revoked; no other body's
    assert str(case.given.id) in files["summary.txt"].decode()
    code, words = evidence_check.verdict(files, public, None)
    assert code == evidence_check.PROVEN, words
    assert not any("follows the end" in line or "outside" in line for line in words)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("delegation.granted", "which is not in the bundle"),
        ("delegation.revoked", "is of what it stood on and was left out"),
        ("issuer.registered", "a body that is not in the bundle"),
        ("role.granted", "no role of author@ubnd-00001 is in the bundle"),
    ],
)
def test_leaving_out_what_it_stood_on_is_found(case: Case, topic: str, said: str) -> None:
    good, public = bundle(case)
    kept = [
        line
        for line in good["rows.jsonl"].splitlines(keepends=True)
        if f'"topic":"{topic}"'.encode() not in line
    ]
    code, words = evidence_check.verdict(remade(good, rows__jsonl=b"".join(kept)), public, None)
    assert code == evidence_check.ALTERED
    assert any(said in line for line in words), words


def test_a_stream_it_stood_on_is_there_from_its_first_event(case: Case) -> None:
    case.house.setup.grant(SYSTEM, author(PHUC_XA).account, TRUC_BACH, Role.AUDITOR, at=clock())
    good, public = bundle(case)
    first = next(
        line
        for line in good["rows.jsonl"].splitlines(keepends=True)
        if b'"role.granted"' in line and b'"author@ubnd-00001"' in line
    )
    less = good["rows.jsonl"].replace(first, b"")
    code, words = evidence_check.verdict(remade(good, rows__jsonl=less), public, None)
    assert code == evidence_check.ALTERED
    assert any("are not complete, from its first on" in line for line in words), words


def test_a_row_that_names_an_end_before_it_is_told_and_not_called_altered(case: Case) -> None:
    """The log may hold it: the two were decided at the same moment."""
    hanoi = case.house
    late = grant(hanoi, PHUC_XA, NEXT_DOOR)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(NEXT_DOOR), at=clock()).id
    DelegationCommands(hanoi.office).revoke(manager(BA_DINH), late.id, at=clock())
    submitted = hanoi.office.alert(alert).submit(author(PHUC_XA), delegation_id=late.id)
    hanoi.log.append([submitted], at=clock())
    files, public = bundle(case._replace(alert=alert))
    code, words = evidence_check.verdict(files, public, None)
    assert code == evidence_check.PROVEN, words
    assert any(f"follows the end of delegation {late.id}" in line for line in words)
