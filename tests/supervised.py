"""A supervisor of its own: `python -m tests.supervised FOLDER`."""

import os
import sys
from pathlib import Path

from broadcaster.engines.embedded import NatsServer, PostgresServer
from broadcaster.engines.supervisor import Child, Supervisor

STUBBORN = "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"


def main(data: Path) -> None:
    engines = (PostgresServer(data / "postgres", durable=False), NatsServer(data / "nats"))
    children = (
        Child("sleeper", ("sleep", "1000"), {"PATH": os.defpath}),
        Child("stubborn", ("sh", "-c", STUBBORN), {"PATH": os.defpath}),
    )
    Supervisor(data, engines, children, grace=0.5).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
