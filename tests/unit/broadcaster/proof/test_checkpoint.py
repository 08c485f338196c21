"""Signed checkpoints: what the chain alone cannot show."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from broadcaster.cli.app import app
from broadcaster.proof import chain, checkpoint
from broadcaster.proof.chain import link
from broadcaster.proof.checkpoint import CheckpointError
from broadcaster.roles.notary import Notary
from broadcaster.runtime import House, clock
from schemas.content import Severity, Urgency
from tests.house import PHUC_XA, approver, author, content, house
from tests.waiting import until

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)


@pytest.fixture
def opened(city_database: str, tmp_path: Path) -> Iterator[House]:
    with house(city_database, data=tmp_path / "data") as one:
        yield one


def issue(one: House, **changes: Any) -> None:
    alert = one.alerts.draft(author(PHUC_XA), PHUC_XA, content(**changes), at=clock())
    one.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    one.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    one.alerts.issue(approver(PHUC_XA), alert.id, at=clock())


def key_of(one: House) -> Ed25519PrivateKey:
    return checkpoint.make_key(one.settings.checkpoint_key_path)


def sign(one: House) -> checkpoint.Checkpoint:
    return checkpoint.notarise(one.log, key_of(one), "hanoi", one.settings.checkpoints_path, AT)


def check(one: House) -> checkpoint.Finding:
    lines = checkpoint.read(one.settings.checkpoints_path)
    return checkpoint.check(one.log, lines, key_of(one).public_key())


def rewrite(one: House, position: int) -> None:
    """As an attacker who owns the database: another account in a row, and every later hash anew."""
    with one.pool.connection() as conn:
        conn.execute(
            "UPDATE events SET state ="
            " convert_to(replace(convert_from(state, 'UTF8'), 'author@', 'ghost@'), 'UTF8')"
            " WHERE position = %s",
            (position,),
        )
    previous = one.log.chain.rows(position - 2, 1)[0].chain
    for row in one.log.chain.rows(position - 1, 10_000):
        previous = link(previous, row)
        with one.pool.connection() as conn:
            conn.execute("UPDATE events SET chain = %s WHERE position = %s", (previous, row.position))


def test_checkpoints_of_a_growing_log_fit(opened: House) -> None:
    first = sign(opened)
    issue(opened)
    second = sign(opened)
    assert second.position == first.position + 4
    assert check(opened) == checkpoint.Finding(2, second.position)


def test_a_cut_tail_shows(opened: House) -> None:
    sign(opened)
    issue(opened)
    last = sign(opened)
    with opened.pool.connection() as conn:
        conn.execute("DELETE FROM events WHERE position > %s", (last.position - 2,))
    assert chain.verify(opened.log).sound, "the chain alone does not see it"
    found = check(opened)
    assert found.fitting == 1
    assert f"checkpoint 2 (position {last.position}," in found.fault
    assert f"ends at {last.position - 2}: its tail was cut" in found.fault


def test_a_log_rewritten_with_every_hash_anew_shows(opened: House) -> None:
    before = sign(opened)
    issue(opened)
    sign(opened)
    rewrite(opened, before.position + 1)
    assert chain.verify(opened.log).sound, "the chain alone does not see it"
    found = check(opened)
    assert found.fitting == 1
    assert "the log was rewritten" in found.fault


def test_a_checkpoint_of_another_key_or_text_does_not_count(opened: House) -> None:
    made = sign(opened)
    other = Ed25519PrivateKey.generate().public_key()
    assert not made.signed_by(other)
    assert "not of this key" in checkpoint.check(opened.log, [made], other).fault
    for changes in (
        {"position": made.position - 1},
        {"chain": "0" * 64},
        {"at": "2026-07-10T02:00:00.000001Z"},
    ):
        assert not made.model_copy(update=changes).signed_by(key_of(opened).public_key())


def test_a_line_torn_by_a_crash_is_counted_and_the_next_is_whole(opened: House) -> None:
    sign(opened)
    path = opened.settings.checkpoints_path
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40])
    made = sign(opened)
    assert check(opened) == checkpoint.Finding(2, made.position, 1)
    assert checkpoint.newest(path) == made


def test_a_file_without_a_checkpoint_is_no_proof(opened: House) -> None:
    assert checkpoint.check(opened.log, [], key_of(opened).public_key()).fault


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "checkpoint.key"
    key = checkpoint.make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert checkpoint.public_pem(checkpoint.make_key(path)) == checkpoint.public_pem(key)
    path.chmod(0o640)
    with pytest.raises(CheckpointError, match="may be read by others"):
        checkpoint.load_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(CheckpointError, match="no private key"):
        checkpoint.load_key(path)


def test_the_notary_signs_at_once_at_an_emergency_and_by_the_hour(opened: House) -> None:
    notary = Notary(opened)
    assert notary.look() is None, "there is no key"
    key_of(opened)
    assert notary.look()
    assert notary.look() is None
    issue(opened)
    assert notary.look() is None, "an alert can wait for the hour"
    issue(opened, severity=Severity.EXTREME, urgency=Urgency.IMMEDIATE)
    signed = notary.look()
    assert signed
    assert signed.position == opened.log.head()
    assert notary.look() is None
    often = Notary(opened, period=0)
    assert often.look()
    assert often.look()
    assert check(opened).fitting == 4


def test_the_notary_runs_in_its_thread(opened: House) -> None:
    key_of(opened)
    notary = Notary(opened, every=0.01)
    notary.start()
    until(opened.settings.checkpoints_path.exists)
    notary.stop()
    assert check(opened).fitting == 1


def test_the_command_line_verifies_and_names_what_does_not_fit(city_database: str, tmp_path: Path) -> None:
    env = {"BROADCASTER_DATABASE_URL": city_database, "BROADCASTER_DATA": str(tmp_path)}

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, args, env=env)

    public = tmp_path / "public.pem"
    public.write_text(run("checkpoint", "key").stdout)
    assert public.read_text() == run("checkpoint", "key").stdout
    assert run("checkpoint", "now").exit_code == 0
    verify = (
        "log",
        "verify",
        "--checkpoints",
        str(tmp_path / "checkpoints.jsonl"),
        "--public-key",
        str(public),
    )
    told = run(*verify)
    assert told.exit_code == 0, told.output
    assert "1 checkpoints fit" in told.stdout
    with psycopg.connect(city_database) as conn:
        conn.execute("DELETE FROM events WHERE position = (SELECT max(position) FROM events)")
    told = run(*verify)
    assert told.exit_code == 1
    assert "bad: checkpoint 1" in told.stderr
    assert run("log", "verify").exit_code == 0
