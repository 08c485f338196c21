"""Starts both engines and waits to be killed: `python -m tests.engines_parent FOLDER UID`."""

import json
import os
import signal
import sys
from pathlib import Path

import psycopg

from broadcaster.engines.embedded import NatsServer, PostgresServer


def main(folder: Path, uid: int) -> None:
    if os.geteuid() != uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    with (
        PostgresServer(folder / "postgres", durable=False) as postgres,
        NatsServer(folder / "nats") as nats,
    ):
        with psycopg.connect(postgres.url) as connection:
            row = connection.execute("SELECT version()").fetchone()
        assert row is not None
        sys.stdout.write(json.dumps({"version": row[0], "pids": [postgres.pid, nats.pid]}) + "\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
