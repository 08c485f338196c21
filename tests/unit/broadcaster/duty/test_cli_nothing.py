"""`broadcaster cadence nothing-to-report`."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from broadcaster import reference
from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.cli.app import app
from broadcaster.lifecycle import Stage
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import packaged
from broadcaster.runtime import SYSTEM, House, clock
from schemas.content import Kind
from schemas.events import AttemptRefused
from tests.house import BA_DINH, PHUC_XA, approver, author, house

AUTHOR = author(PHUC_XA).account


@pytest.fixture
def hanoi(city_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    with house(city_database) as opened:
        yield opened


def run(*more: str, body: str = PHUC_XA, account: str = AUTHOR) -> Result:
    return CliRunner().invoke(
        app, ["cadence", "nothing-to-report", body, "--account", account, *more], prog_name="broadcaster"
    )


def made(hanoi: House, result: Result) -> Alert:
    assert result.exit_code == 0, result.output
    _, alert_id, _, body = result.stdout.split()
    assert body in {PHUC_XA, BA_DINH}
    return hanoi.office.alert(UUID(alert_id))


def test_it_drafts_a_bulletin_to_the_body_own_area(hanoi: House) -> None:
    alert = made(hanoi, run())
    assert alert.work is not None
    content = alert.work.content
    assert (alert.stage, alert.issuer_id, content.areas) == (Stage.DRAFT, PHUC_XA, ("00001",))
    assert content.kind is Kind.BULLETIN
    assert "UBND phường Phúc Xá" in content.text("vi").description
    assert alert.work.contributors == {AUTHOR}


def test_it_is_put_up_for_approval_and_goes_out_by_two(hanoi: House) -> None:
    alert = made(hanoi, run("--submit", "--value", "ngay=9/7/2024"))
    assert alert.stage is Stage.SUBMITTED
    assert alert.work is not None
    assert "9/7/2024" in alert.work.content.text("vi").headline
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    assert hanoi.office.alert(alert.id).stage is Stage.APPROVED


def test_a_repeat_under_its_key_makes_nothing_twice(hanoi: House) -> None:
    first = run("--submit", "--key", "hom-nay")
    head = hanoi.log.head()
    again = run("--submit", "--key", "hom-nay")
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert hanoi.log.head() == head
    other = run("--submit", "--key", "hom-nay", "--value", "ngay=1/1/2024")
    assert other.exit_code != 0
    assert "--key: hom-nay was used for another request" in f"{other.exception}"
    assert hanoi.log.head() == head


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--value", "ngay"), "--value: ngay is not NAME=TEXT"),
        (("--value", "ngay=1", "--value", "ngay=2"), "--value: a name is given twice"),
        (("--value", "so_lieu=3"), "so_lieu"),
    ],
)
def test_bad_input_is_told_in_a_line_and_drafts_nothing(
    hanoi: House, more: tuple[str, ...], said: str
) -> None:
    told = run(*more)
    assert told.exit_code not in {0, None}
    assert said in f"{told.output}{told.exception}"
    assert not [each for each in hanoi.log.everything() if each.event.TOPIC == "alert.drafted"]


def test_who_is_no_author_of_the_body_is_refused_on_record(hanoi: House) -> None:
    for account, body in ((author(PHUC_XA).account, BA_DINH), (approver(PHUC_XA).account, PHUC_XA)):
        assert run(body=body, account=account).exit_code != 0
        last = hanoi.log.read(hanoi.log.head() - 1, 1)[0].event
        assert isinstance(last, AttemptRefused)
        assert (last.by.account, last.issuer_id) == (account, body)


def test_after_a_reorganisation_it_speaks_as_the_body_is_now(hanoi: House) -> None:
    for edition in ("2025-01-01", "2025-07-01"):
        ReorganisationCommands(hanoi.pool, hanoi.office).apply(packaged(edition), SYSTEM, clock())
    now = clock()
    moved = next(
        body
        for record in reference.issuers()
        if record.since is None
        and (body := hanoi.office.body(record.issuer_id, now)).name != record.name
        and body.seat("2025-07-01") == body.area
        and not body.closed(now)
    )
    hanoi.setup.grant(SYSTEM, "thao", moved.issuer_id, Role.AUTHOR, at=clock())
    result = run(body=moved.issuer_id, account="thao")
    assert result.exit_code == 0, result.output
    alert = hanoi.office.alert(UUID(result.stdout.split()[1]))
    assert alert.work is not None
    assert alert.work.content.areas == (moved.area,)
    assert moved.name in alert.work.content.text("vi").description
