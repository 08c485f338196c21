"""What a process writes to standard error: lines of JSON, whoever logs."""

import json
import subprocess
import sys

SPEAKS = """
import logging
import structlog
from broadcaster.process import logs

logs.configure()
structlog.get_logger().warning("ours", n=1)
logging.getLogger("psycopg.pool").warning("no line to %r:\\n\\tis it up?", "house")
logging.getLogger("psycopg.pool").info("not told")
try:
    number = "+84912345678"
    int("nine")
except ValueError:
    logging.getLogger("nats.aio.client").exception("fell over")
"""


def test_libraries_log_in_lines_of_json_as_we_do() -> None:
    said = subprocess.run([sys.executable, "-c", SPEAKS], capture_output=True, text=True, check=True).stderr
    ours, pool, fell = map(json.loads, said.splitlines())
    assert all(each.pop("timestamp").endswith("Z") for each in (ours, pool, fell))
    assert ours == {"event": "ours", "level": "warning", "n": 1}
    assert pool == {
        "event": "no line to 'house':\n\tis it up?",
        "level": "warning",
        "logger": "psycopg.pool",
    }
    trace = fell.pop("exception")
    assert trace.startswith("Traceback")
    assert "+84912345678" not in trace
    assert fell == {"event": "fell over", "level": "error", "logger": "nats.aio.client"}
