"""`broadcaster areas boundaries`: loaded, replaced, removed; a faulty file changes nothing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadcaster import reference
from broadcaster.boundaries.store import loaded, loaded_digest
from broadcaster.cli.app import app
from broadcaster.log import ConflictError
from broadcaster.runtime import SYSTEM, clock
from projections.audit.words import describe
from schemas.events import AreaBoundariesLoaded, AreaBoundariesRemoved, BoundariesEvent
from tests.boundary_files import collection, feature, placed, square, squares
from tests.house import house

EDITION = "2020-03-01"
TREE = reference.tree(EDITION)


@pytest.fixture(name="city", autouse=True)
def _city(city_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    return city_database


def run(*words: str, edition: str = EDITION) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["areas", "boundaries", *words, "--edition", edition])
    return result.exit_code, result.stdout, result.stderr


def told(city: str) -> list[BoundariesEvent]:
    with house(city) as opened:
        events = [each.event for each in opened.log.everything()]
    return [each for each in events if isinstance(each, AreaBoundariesLoaded | AreaBoundariesRemoved)]


def test_loaded_replaced_and_removed(city: str, tmp_path: Path) -> None:
    file = tmp_path / "communes.geojson"
    file.write_bytes(squares(TREE))
    code, out, err = run(str(file))
    assert (code, "526 of 579 communes are loaded" in out) == (0, True)
    assert "53 keep their circles: " in err
    # The same file again is the same state.
    assert "526 of 579 communes are loaded already" in run(str(file))[1]

    (area, place), *_ = placed(TREE)
    file.write_text(json.dumps(collection([feature(area.code, square(*place), named="ma")])))
    code, out, _ = run(str(file), "--code", "ma")
    assert (code, "1 of 579" in out) == (0, True)
    with house(city) as opened, opened.pool.connection() as conn:
        kept, digest = loaded(conn, EDITION), loaded_digest(conn, EDITION)
    assert kept is not None
    assert (kept.paths.keys(), kept.sha256) == ({area.code}, digest)

    assert run("--remove")[0] == 0
    code, out, err = run("--remove")
    assert (code, out, err) == (2, "", f"broadcaster: no boundaries of edition {EDITION} are loaded\n")
    with house(city) as opened, opened.pool.connection() as conn:
        assert loaded(conn, EDITION) is None
    first, second, removed = told(city)
    assert isinstance(first, AreaBoundariesLoaded)
    assert isinstance(second, AreaBoundariesLoaded)
    assert isinstance(removed, AreaBoundariesRemoved)
    assert (first.areas, second.areas, removed.outlines_sha256) == (526, 1, digest)
    assert first.by == second.by == removed.by == SYSTEM
    assert describe(second).en == "Loaded the boundaries of 1 communes of edition 2020-03-01"


def test_a_fault_is_one_line_and_nothing_is_done(city: str, tmp_path: Path) -> None:
    file = tmp_path / "communes.geojson"
    file.write_bytes(squares(TREE))
    assert run(str(file))[0] == 0
    with house(city) as opened, opened.pool.connection() as conn:
        before = loaded_digest(conn, EDITION)

    whole = json.loads(file.read_bytes())
    whole["features"][-1]["geometry"]["coordinates"][0].pop()
    file.write_text(json.dumps(whole))
    wrongs = [
        (run(str(file)), "feature 526 ("),
        (run(str(file), "--code", "name"), "feature 1: properties.name: "),
        (run(str(file), edition="1999-01-01"), "no edition 1999-01-01 of the area register"),
        (run(str(tmp_path / "none.geojson")), "none.geojson: No such file or directory"),
        (run(str(tmp_path)), "Is a directory"),
        (run(), "give a file to load, or --remove, and not both"),
        (run(str(file), "--remove"), "give a file to load, or --remove, and not both"),
    ]
    for (code, out, err), words in wrongs:
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert words in err
    assert CliRunner().invoke(app, ["areas", "boundaries", str(file)]).exit_code == 2
    with house(city) as opened, opened.pool.connection() as conn:
        assert loaded_digest(conn, EDITION) == before
    assert len(told(city)) == 1


def test_of_two_who_load_at_once_one_is_told(city: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(city) as opened:
        edition = opened.office.register().edition(EDITION)
        mine, theirs = opened.boundaries, type(opened.boundaries)(opened.pool, opened.office)
        one, two = squares(TREE), squares(TREE).replace(b'"features"', b' "features"')
        stale = mine._told(EDITION)  # pyright: ignore[reportPrivateUsage]
        theirs.load(SYSTEM, edition, one, "code", clock())
        monkeypatch.setattr(mine, "_told", {EDITION: stale}.__getitem__)
        with pytest.raises(ConflictError, match="changed by another"):
            mine.load(SYSTEM, edition, two, "code", clock())
        with opened.pool.connection() as conn:
            row = conn.execute("SELECT count(*), min(file_sha256) FROM area_boundaries").fetchone()
    event = told(city)
    assert row == (1, event[0].file_sha256 if isinstance(event[0], AreaBoundariesLoaded) else "")
    assert len(event) == 1
