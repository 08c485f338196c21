"""How every process logs: one line an event, to standard error, JSON unless a person is looking."""

import io
import json
import logging
import sys
import threading
from typing import TextIO, cast

import structlog


class Sink:
    """Lines to a stream, whose failure is nobody's: on a full disk lines are lost, and nothing else is.

    A worker that stumbles over a line it could not write has people sent to twice. How many were lost is
    the first line once there is room. Thread-safe.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # Past the buffer of the process's own, which would keep what was refused and refuse the rest.
        self._raw = io.FileIO(stream.fileno(), "wb", closefd=False) if stream is sys.__stderr__ else None
        self._lost = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Writes whole lines at once, or counts them as lost."""
        with self._lock:
            try:
                if self._lost:
                    # What the disk took of a line before it was full has no end.
                    note = {"event": "log_lines_lost", "level": "warning", "lines": self._lost}
                    self._put("\n" + json.dumps(note) + "\n")
                    self._lost = 0
                self._put(text)
            except (OSError, ValueError):  # ValueError: the stream was closed, at the very end
                self._lost += max(1, text.count("\n"))
        return len(text)

    def flush(self) -> None:
        """Nothing to do: each write is flushed."""

    def _put(self, text: str) -> None:
        if self._raw is None:
            self._stream.write(text)
            self._stream.flush()
            return
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        while data:
            data = data[self._raw.write(data) or 0 :]


def configure(level: int = logging.INFO) -> None:
    """Sets up structlog, and what libraries log from WARNING on, in the same lines with the `logger`.

    Tracebacks never show local variables: those may hold a citizen's number.
    """
    looked_at = sys.stderr.isatty()
    sink = cast("TextIO", Sink(sys.stderr))
    first: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if looked_at
        else [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sink),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
