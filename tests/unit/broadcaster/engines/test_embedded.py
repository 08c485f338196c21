import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import nats
import psycopg
import pytest
from nats.js.api import StreamConfig

from broadcaster.engines.embedded import STORE_BYTES, EngineError, NatsServer, PostgresServer
from channels.topology import stream_configs
from tests.ports import own_port
from tests.processes import gone, passable_folder
from tests.waiting import PATIENCE, until

NOBODY = 65534


@pytest.fixture(scope="module")
def own_postgres() -> Generator[PostgresServer]:
    """For tests that stop or kill it; each of them starts it first."""
    with passable_folder() as folder, PostgresServer(folder / "postgres", durable=False) as server:
        yield server


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid))


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def at_work(url: str, backend: int) -> bool:
    """Whether that backend works on a query: one that waits for its client ends with the server."""
    with psycopg.connect(url) as connection:
        query = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        return connection.execute(query, (backend,)).fetchone() == ("active",)


async def store(server: NatsServer, text: bytes) -> None:
    async with await nats.connect(server.url, token=server.token) as connection:
        stream = connection.jetstream()
        await stream.add_stream(StreamConfig(name="KEPT", subjects=["kept"]))
        await stream.publish("kept", text)


async def stored(server: NatsServer) -> bytes | None:
    async with await nats.connect(server.url, token=server.token) as connection:
        return (await connection.jetstream().get_last_msg("KEPT", "kept")).data


class TestPostgres:
    def test_each_database_is_fresh(self, database: str) -> None:
        with psycopg.connect(database) as connection:
            tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            assert connection.execute(tables).fetchone() == (0,)
            assert connection.info.server_version // 10_000 == 18

    def test_it_is_durable_unless_told_otherwise(self, own_postgres: PostgresServer) -> None:
        with psycopg.connect(own_postgres.url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        own_postgres.stop()
        with PostgresServer(own_postgres.folder) as durable, psycopg.connect(durable.url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)

    def test_rows_outlive_a_killed_server_whose_sessions_are_still_at_work(
        self, own_postgres: PostgresServer
    ) -> None:
        own_postgres.start()
        url, first = own_postgres.url, own_postgres.pid
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1")
            busy = connection.info.backend_pid
            connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
            until(lambda: at_work(url, busy))
            kill(first)
            assert not gone(busy)
            assert not own_postgres.alive()
            own_postgres.start()
            assert gone(busy)
        assert own_postgres.pid != first
        assert own_postgres.url == url
        assert count(url) == 1

    def test_starting_and_stopping_twice_is_safe(self, own_postgres: PostgresServer) -> None:
        own_postgres.start()
        pid = own_postgres.pid
        own_postgres.start()
        assert own_postgres.pid == pid
        own_postgres.stop()
        own_postgres.stop()
        assert pid is not None
        assert gone(pid)
        assert not own_postgres.alive()

    def test_a_folder_in_use_is_refused(self, own_postgres: PostgresServer) -> None:
        own_postgres.start()
        with pytest.raises(EngineError, match="is in use by pid"):
            PostgresServer(own_postgres.folder).start()
        assert own_postgres.alive()

    def test_a_server_that_fails_tells_its_last_words(self, own_postgres: PostgresServer) -> None:
        own_postgres.stop()
        with pytest.raises(EngineError, match="max_connections"):
            PostgresServer(own_postgres.folder, max_connections=-1).start()
        own_postgres.start()

    def test_a_start_is_given_up_when_it_is_no_longer_wanted(self, own_postgres: PostgresServer) -> None:
        own_postgres.stop()
        with pytest.raises(EngineError, match="given up"):
            own_postgres.start(lambda: False)
        assert own_postgres.pid is None

    def test_only_the_main_thread_may_start_it(self, own_postgres: PostgresServer) -> None:
        own_postgres.stop()
        errors: list[EngineError] = []

        def start() -> None:
            try:
                own_postgres.start()
            except EngineError as error:
                errors.append(error)

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert "main thread" in str(errors[0])

    def test_nobody_else_can_open_its_socket(self, own_postgres: PostgresServer) -> None:
        assert own_postgres.home.socket.stat().st_mode & 0o077 == 0


class TestNats:
    def test_a_message_outlives_a_killed_server_on_the_same_port(self, nats: NatsServer) -> None:
        asyncio.run(store(nats, b"alert"))
        url, token, first = nats.url, nats.token, nats.pid
        kill(first)
        nats.start()
        assert (nats.url, nats.token) == (url, token)
        assert nats.pid != first
        assert asyncio.run(stored(nats)) == b"alert"

    def test_the_address_is_the_same_in_a_later_run(self, tmp_path: Path) -> None:
        with NatsServer(tmp_path / "nats") as first:
            asyncio.run(store(first, b"alert"))
        with NatsServer(tmp_path / "nats") as second:
            assert (second.url, second.token) == (first.url, first.token)
            assert asyncio.run(stored(second)) == b"alert"

    def test_it_asks_for_the_token(self, nats: NatsServer) -> None:
        with socket.create_connection(("127.0.0.1", nats.port), timeout=PATIENCE) as line:
            reader = line.makefile("rb")
            assert json.loads(reader.readline().removeprefix(b"INFO "))["auth_required"]
            line.sendall(b'CONNECT {"verbose":false,"auth_token":"wrong"}\r\nPING\r\n')
            assert reader.readline() == b"-ERR 'Authorization Violation'\r\n"

    def test_every_write_is_synced_and_the_token_is_private(self, nats: NatsServer) -> None:
        config = nats.folder / "nats.conf"
        assert "sync_interval: always" in config.read_text()
        assert config.stat().st_mode & 0o077 == 0
        assert nats.token not in Path(f"/proc/{nats.pid}/cmdline").read_text()

    def test_it_promises_the_streams_their_room_however_full_the_disk_is(self, nats: NatsServer) -> None:
        # Left to itself it promises 3/4 of what is free, and refuses the streams where that is little.
        asked = sum(config.max_bytes or 0 for config in stream_configs(1))
        config = (nats.folder / "nats.conf").read_text()
        assert f"max_file_store: {STORE_BYTES}\n" in config
        assert asked < STORE_BYTES

    def test_a_taken_port_is_named(self, tmp_path: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", own_port()))
            other.listen()
            port = other.getsockname()[1]
            server = NatsServer(tmp_path / "nats", port=port)
            with pytest.raises(EngineError, match=f"port {port} of 127.0.0.1 is taken"):
                server.start()
        server.start()
        server.stop()

    def test_the_port_is_not_one_that_the_kernel_gives_to_clients(self, nats: NatsServer) -> None:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        assert nats.port < lowest

    def test_a_kept_port_that_is_no_number_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "port").write_text("http\n")
        with pytest.raises(EngineError, match="must hold the number of a port"):
            NatsServer(tmp_path).start()

    def test_a_weak_token_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="16 or more"):
            NatsServer(tmp_path, token="short")

    @pytest.mark.parametrize("told", ["nats-server: v2.9.10", "nats-server: v2.16.0", "something else"])
    def test_a_server_of_another_version_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
    ) -> None:
        other = tmp_path / "nats-server"
        other.write_text(f"#!/bin/sh\necho '{told}'\n")
        other.chmod(0o755)
        monkeypatch.setenv("NATS_SERVER_BIN", str(other))
        with pytest.raises(EngineError, match=r">=2\.15\.1,<2\.16 is needed"):
            NatsServer(tmp_path / "nats").start()

    def test_a_binary_that_is_missing_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NATS_SERVER_BIN", str(tmp_path / "none"))
        with pytest.raises(EngineError, match=r"cannot run .*/none"):
            NatsServer(tmp_path / "nats").start()


@pytest.mark.parametrize("uid", sorted({os.geteuid(), NOBODY}))
def test_both_engines_die_with_their_parent(uid: int) -> None:
    if uid != os.geteuid() and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with passable_folder() as folder:
        os.chown(folder, uid, -1)
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.engines_parent", str(folder), str(uid)], stdout=subprocess.PIPE
        )
        with parent:
            assert parent.stdout is not None
            told = json.loads(parent.stdout.readline())
            assert told["version"].startswith("PostgreSQL 18")
            assert not any(gone(pid) for pid in told["pids"])
            parent.kill()
        until(lambda: all(gone(pid) for pid in told["pids"]))
        shutil.rmtree(folder / "nats")
