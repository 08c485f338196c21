import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from broadcaster.engines import pghome
from broadcaster.engines.children import EngineError
from broadcaster.engines.embedded import PostgresServer
from tests.processes import passable_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account for PostgreSQL")


def test_the_home_is_the_same_at_every_call() -> None:
    with passable_folder() as folder:
        home = pghome.find_home(folder)
        assert pghome.find_home(folder) == home
        assert (home.cluster, home.socket) == (folder / "cluster", folder / "socket")
        assert (home.account is None) == (os.geteuid() != 0)


def test_a_deep_folder_gets_its_socket_where_the_path_is_short() -> None:
    with passable_folder() as folder:
        deep = folder / ("d" * 90)
        deep.mkdir()
        home = pghome.find_home(deep)
        try:
            assert len(bytes(home.socket / ".s.PGSQL.5432")) <= 107
            assert home.cluster == deep / "cluster"
            assert pghome.find_home(deep) == home
            if os.geteuid() == 0:
                os.chown(home.socket, 12345, 12345)
                with pytest.raises(EngineError, match="is another user's"):
                    pghome.find_home(deep)
        finally:
            home.socket.rmdir()


@as_root
def test_a_folder_that_nobody_can_reach_keeps_its_cluster_elsewhere(tmp_path: Path) -> None:
    before = tmp_path.parent.stat().st_mode
    with passable_folder() as outside:
        server = PostgresServer(tmp_path / "postgres", durable=False, elsewhere=outside / "kept")
        with server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1")
        again = PostgresServer(tmp_path / "postgres", durable=False, elsewhere=outside / "other")
        with again, psycopg.connect(again.url) as connection:
            assert connection.execute("SELECT * FROM kept").fetchone() == (1,)
        place = Path((tmp_path / "postgres" / "location").read_text().strip())
        assert place.parent == outside / "kept"
        assert (place / "cluster" / "PG_VERSION").exists()
    assert tmp_path.parent.stat().st_mode == before


@as_root
def test_a_data_folder_is_refused_when_no_place_can_be_reached(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="choose another data folder"):
        pghome.find_home(tmp_path, elsewhere=tmp_path / "elsewhere")
    with pytest.raises(EngineError, match="cannot make"):
        pghome.find_home(tmp_path, elsewhere=tmp_path / "missing" / "elsewhere")


@as_root
def test_a_cluster_that_exists_runs_under_its_owner() -> None:
    with passable_folder() as folder:
        (folder / "cluster").mkdir()
        os.chown(folder / "cluster", 12345, 12345)
        account = pghome.find_home(folder).account
        assert account is not None
        assert (account.uid, account.gid) == (12345, 12345)


@as_root
def test_closed_binaries_are_copied_once_to_where_nobody_can_run_them() -> None:
    with passable_folder() as folder:
        installed = pghome.find_home(folder).binaries
        copy = pghome.runnable_copy(installed, folder / "elsewhere")
        made = copy.stat().st_mtime_ns
        assert pghome.runnable_copy(installed, folder / "elsewhere") == copy
        assert copy.stat().st_mtime_ns == made
        for tool in ("postgres", "initdb", "psql"):
            told = subprocess.run(
                [copy / tool, "--version"], capture_output=True, text=True, user="nobody", check=True
            )
            assert "18." in told.stdout
