"""The import: what it takes and rejects, and that no stop or repeat changes the outcome."""

import csv
import fcntl
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.demo.people import write_people
from broadcaster.engines.embedded import PostgresServer
from broadcaster.registry.csv_import import (
    ImportBusyError,
    ImportEditionError,
    ImportResult,
    Progress,
    import_csv,
)
from broadcaster.registry.lines import HEADER, SubscriberFileError
from broadcaster.registry.rules import NewSubscriber
from schemas.areas import AreaTree
from schemas.content import Channel
from tests.registries import AT, SMALL, Desk, desk_on, holdings, person

LATER = AT + timedelta(days=1)


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Desk]:
    with desk_on(postgres) as desk:
        yield desk


@pytest.fixture
def desk(shared: Desk) -> Desk:
    shared.clear()
    return shared


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join((",".join(HEADER), *lines)) + "\n", encoding="utf-8")
    return path


def line(new: NewSubscriber) -> str:
    kind = new.token_kind if new.token else ""
    lists = ";".join(new.areas), ";".join(new.opt_outs)
    cells = (new.token, kind, new.platform, new.phone, new.home, lists[0], new.locale, lists[1])
    return ",".join(cell or "" for cell in cells)


def rejects(result: ImportResult) -> list[tuple[int, str]]:
    """The lines of the rejects file: number and reason."""
    if result.rejects_file is None:
        return []
    with result.rejects_file.open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file, strict=True)]


def take_in(desk: Desk, path: Path, **options: Any) -> ImportResult:
    return import_csv(path, desk.pool, SMALL, at=options.pop("at", AT), **options)


def test_a_file_is_taken_in_as_said(desk: Desk, tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.csv",
        "tok-1,fid,ios,0912345678,00101,002;00103,en,bao;mua_lon",
        '"tok,2",,web,,00202,,,',
        "",
        ",,, 84 987 654 321 ,00201,,vi,\r",
    )
    assert take_in(desk, path).rejected == 0
    assert holdings(desk.pool) == {
        ("tok-1", "fid", "ios", "+84912345678", "en", "small", "00101", 2, "{bao,mua_lon}", "{4,5}"),
        ("tok,2", "token", "web", None, "vi", "small", "00202", 7, "{}", "{}"),
        (None, None, None, "+84987654321", "vi", "small", "00201", 6, "{}", "{}"),
    }
    assert desk.registry.count() == {Channel.PUSH: 2, Channel.SMS: 2}


def test_bad_lines_are_named_with_their_rule_and_kept_aside(desk: Desk, tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.csv",
        "tok-1,token,android,0912345678,00101,,vi,",
        "tok-2,token,android,0212345678,00101,,vi,",
        "tok-3,token,android,,001,,vi,",
        "tok-4,token,android,,00101,002;nowhere,vi,",
        "tok-1,token,android,,00102,,vi,",
        "tok-6,token,android,+84 912 345 678,00102,,vi,",
        "tok-7,token,android,00101,,vi,",
        '"tok-8,token,android,,00101,,vi,',
        "tok-9,token,android,,00101,,vi,weather",
        ",,,,00101,,vi,",
        "tok-3,token,android,,00103,,vi,",
    )
    with path.open("ab") as file:
        file.write(b"tok-\xff,token,android,,00101,,vi,\ntok-14,token,tv,,00101,,vi,")
    result = take_in(desk, path, batch=2)
    assert (result.accepted, result.rejected) == (2, 11)
    assert [(number, reason.split(":")[0]) for number, reason in rejects(result)] == [
        *((3, "phone"), (4, "home"), (5, "areas"), (6, "token"), (7, "phone"), (8, "line"), (9, "line")),
        *((10, "opt_outs"), (11, "token, phone"), (13, "line"), (14, "platform")),
    ]
    reasons = dict(rejects(result))
    assert reasons[6] == "token: is already on line 2"
    assert reasons[7] == "phone: is already on line 2"
    assert reasons[8] == "line: has 7 columns, not 8"
    assert reasons[13] == "line: is not UTF-8"
    assert {(row[0], row[6]) for row in holdings(desk.pool)} == {("tok-1", "00101"), ("tok-3", "00103")}


def test_rejected_lines_keep_their_columns_and_are_for_the_owner_alone(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", 'tok-1,token,android,"12,3",00101,002,vi,bao')
    kept = tmp_path / "people.csv.rejected.csv"
    kept.write_text("of another file\n" * 1000)
    kept.chmod(0o644)
    assert take_in(desk, path).rejects_file == kept
    assert kept.stat().st_mode & 0o777 == 0o600
    with kept.open(encoding="utf-8", newline="") as file:
        head, row = csv.reader(file)
    assert head == [*HEADER, "line", "reason"]
    assert row[:-1] == ["tok-1", "token", "android", "12,3", "00101", "002", "vi", "bao", "2"]


def test_a_file_without_faults_leaves_no_rejects_file(desk: Desk, tmp_path: Path) -> None:
    result = take_in(desk, write(tmp_path / "people.csv", line(person("tok-1"))))
    assert result.rejects_file is None
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def note_in(told: list[tuple[int, ...]]) -> Progress:
    def progress(done: int, total: int, accepted: int, rejected: int) -> None:
        told.append((done, total, accepted, rejected))

    return progress


def test_progress_tells_bytes_and_lines(desk: Desk, tmp_path: Path) -> None:
    path, told = tmp_path / "people.csv", list[tuple[int, ...]]()
    write_people(path, 25, SMALL, 1)
    take_in(desk, path, batch=10, progress=note_in(told))
    size = path.stat().st_size
    assert [numbers[1:] for numbers in told] == [(size, 10, 0), (size, 20, 0), (size, 25, 0)]
    assert told[0][0] < told[1][0] < told[2][0] == size


class Stopped(Exception):  # noqa: N818 (an event, not a fault)
    """What a test raises in place of a kill."""


def stop_after(batches: int) -> Progress:
    def progress(*_: int) -> None:
        nonlocal batches
        batches -= 1
        if batches == 0:
            raise Stopped

    return progress


@pytest.mark.parametrize(("stops", "sizes"), [((1,), (7, 7)), ((1, 2, 1), (5, 9, 7, 11)), ((4,), (10, 3))])
def test_an_import_that_was_stopped_goes_on(
    desk: Desk, tmp_path: Path, stops: Sequence[int], sizes: Sequence[int]
) -> None:
    path = tmp_path / "people.csv"
    write_people(path, 60, SMALL, 3)
    good = path.read_text().splitlines()
    good[10:10] = ["bad", good[5]]
    good += [good[1], "bad"]
    path.write_text("\n".join(good))
    whole = take_in(desk, path)
    rows, bad = holdings(desk.pool), rejects(whole)
    assert (whole.accepted, whole.rejected, len(rows)) == (60, 4, 60)

    desk.clear()
    for batches, size in zip(stops, sizes, strict=False):
        with pytest.raises(Stopped):
            take_in(desk, path, batch=size, progress=stop_after(batches))
        assert 0 < len(holdings(desk.pool)) < 60
    told = list[tuple[int, ...]]()
    rest = take_in(desk, path, batch=sizes[-1], progress=note_in(told))
    assert rest == whole
    assert told[0][2] > sum(sizes[: len(stops)]) - 4
    assert holdings(desk.pool) == rows
    assert rejects(rest) == bad


def test_a_batch_that_fails_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_people(path, 30, SMALL, 3)
    with desk.pool.connection() as connection:
        connection.execute("ALTER TABLE subscriber_areas RENAME TO hidden_areas")
    try:
        with pytest.raises(Exception, match='relation "subscriber_areas" does not exist'):
            take_in(desk, path, batch=10)
    finally:
        with desk.pool.connection() as connection:
            connection.execute("ALTER TABLE hidden_areas RENAME TO subscriber_areas")
    assert holdings(desk.pool) == set()
    assert take_in(desk, path, batch=10).accepted == len(holdings(desk.pool)) == 30


def test_a_finished_file_is_not_read_again(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(person("tok-1")), line(person("tok-2")), "bad")
    first = take_in(desk, path)
    with desk.pool.connection() as connection:
        row = connection.execute("SELECT device_id FROM subscribers WHERE push_token = 'tok-1'").fetchone()
    assert row is not None
    desk.registry.unregister(row[0])
    rows = holdings(desk.pool)
    assert take_in(desk, path, at=LATER) == first
    moved = path.rename(tmp_path / "renamed.csv")
    assert take_in(desk, moved).file_sha256 == first.file_sha256
    assert holdings(desk.pool) == rows
    assert len(rows) == 1


def test_a_line_about_someone_known_is_a_registration_that_keeps_the_secret(
    desk: Desk, tmp_path: Path
) -> None:
    device_id, secret = desk.registry.register(person("tok-1", "0912345678", areas=["002"]), AT)
    stays, _ = desk.registry.register(person("tok-2", "0987654321"), AT)
    path = write(tmp_path / "people.csv", line(person("tok-1", "0987654321", home="00202", areas=["001"])))
    take_in(desk, path, at=LATER)
    found = desk.registry.authenticate(device_id, secret)
    assert found is not None
    assert (found.home, found.areas, found.phone) == ("00202", ("001",), "+84987654321")
    assert (found.created_at, found.updated_at) == (AT, LATER)
    other = desk.registry.subscriber(stays)
    assert other is not None
    assert (other.push, other.phone) == (True, None)


def test_an_imported_phone_has_no_secret_until_it_registers(desk: Desk, tmp_path: Path) -> None:
    take_in(desk, write(tmp_path / "people.csv", line(person("tok-1"))))
    with desk.pool.connection() as connection:
        row = connection.execute("SELECT device_id, secret_hash FROM subscribers").fetchone()
    assert row is not None
    device_id, secret_hash = row
    assert secret_hash is None
    assert desk.registry.authenticate(device_id, "") is None
    made = desk.registry.register(person("tok-1"), LATER)
    assert made.device_id == device_id
    assert desk.registry.authenticate(device_id, made.secret) is not None


@st.composite
def files(draw: st.DrawFn) -> list[NewSubscriber]:
    """People no two of whom share an address."""
    chosen = zip(
        draw(st.permutations(["tok-1", "tok-2", "tok-3", None])),
        draw(st.permutations(["+84912345671", "+84912345672", "+84912345673", None])),
        strict=True,
    )
    homes = st.sampled_from(["00101", "00202"])
    areas = st.sampled_from([(), ("002",), ("001", "01")])
    reachable = [(token, phone) for token, phone in chosen if token or phone]
    kept = reachable[: draw(st.integers(1, 4))]
    return [person(token, phone, draw(homes), areas=draw(areas)) for token, phone in kept]


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=files(), then=files())
def test_an_import_does_what_registrations_one_by_one_do(
    shared: Desk, tmp_path: Path, before: list[NewSubscriber], then: list[NewSubscriber]
) -> None:
    shared.clear()
    for new in (*before, *then):
        shared.registry.register(new, AT, proved=True)
    expected = holdings(shared.pool)

    shared.clear()
    for new in before:
        shared.registry.register(new, AT, proved=True)
    take_in(shared, write(tmp_path / "people.csv", *map(line, then)))
    assert holdings(shared.pool) == expected


def test_a_file_of_something_else_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    for text in ("", "name,email\n", "token;token_kind;platform\n"):
        path.write_text(text)
        with pytest.raises(
            SubscriberFileError, match="the first line must be token,token_kind,platform,phone"
        ):
            take_in(desk, path)
    path.write_text(f"\ufeff{','.join(HEADER)}\r\n{line(person('tok-1'))}\r\n", encoding="utf-8")
    assert take_in(desk, path).accepted == 1


def test_two_imports_of_one_file_do_not_run_at_once(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(person("tok-1")))
    held = os.open(tmp_path / "people.csv.rejected.csv", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ImportBusyError):
        take_in(desk, path)
    os.close(held)
    assert take_in(desk, path).accepted == 1


def test_an_import_begun_under_another_edition_does_not_go_on(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_people(path, 20, SMALL, 1)
    with pytest.raises(Stopped):
        take_in(desk, path, batch=5, progress=stop_after(1))
    other = AreaTree("other", SMALL)
    with pytest.raises(ImportEditionError, match="began under edition small"):
        import_csv(path, desk.pool, other, at=AT)
