"""Figures for Prometheus: requests as they come, the rest read when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.types import Scope

from broadcaster.screens.seen import Counts
from broadcaster.web.feeds.polls import ServedCount
from projections.positions import Standing

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Figures(Collector):
    """What is read when Prometheus asks."""

    def __init__(
        self,
        head: Callable[[], int],
        standings: Callable[[], list[Standing]],
        served: Callable[[], Mapping[UUID, ServedCount]],
        canary: Callable[[], Mapping[tuple[str, str], bool]] = dict,
        *,
        refused: Callable[[], Mapping[str, int]] = dict,
        screens: Callable[[], Counts] = Counts,
        more: Iterable[Callable[[], Iterable[Metric]]] = (),
    ) -> None:
        self._head, self._standings, self._served = head, standings, served
        self._canary, self._refused, self._screens = canary, refused, screens
        self._more = more

    def collect(self) -> Iterator[Metric]:
        """The families, with their samples."""
        yield GaugeMetricFamily("broadcaster_log_head", "Last position of the event log.", self._head())
        canary = GaugeMetricFamily(
            "broadcaster_canary_late",
            "1 while the latest test item is late or lost.",
            labels=["lane", "channel"],
        )
        for place, late in self._canary().items():
            canary.add_metric(place, float(late))
        yield canary
        position = GaugeMetricFamily(
            "broadcaster_projection_position", "Position a projection has reached.", labels=["projection"]
        )
        lag = GaugeMetricFamily(
            "broadcaster_projection_lag", "Events it has yet to pass.", labels=["projection"]
        )
        stopped = GaugeMetricFamily(
            "broadcaster_projection_stopped", "1 while it is stopped at an event.", labels=["projection"]
        )
        for standing in self._standings():
            position.add_metric([standing.name], standing.position)
            lag.add_metric([standing.name], standing.lag)
            stopped.add_metric([standing.name], float(standing.stopped_at is not None))
        yield from (position, lag, stopped)
        counts = list(self._served().values())
        polls = CounterMetricFamily(
            "broadcaster_feed_polls", "Polls of screens answered.", labels=["status"]
        )
        polls.add_metric(["200"], sum(count.whole for count in counts))
        polls.add_metric(["304"], sum(count.unchanged for count in counts))
        yield polls
        contact = GaugeMetricFamily(
            "broadcaster_screens", "Screens that were ever heard, as of 30 seconds ago.", labels=["state"]
        )
        for state, number in self._screens()._asdict().items():
            contact.add_metric([state], number)
        yield contact
        refused = CounterMetricFamily(
            "broadcaster_screen_refusals", "What screens and panels were refused.", labels=["reason"]
        )
        for reason, count in list(self._refused().items()):
            refused.add_metric([reason], count)
        yield refused
        for families in self._more:
            yield from families()


class Metrics:
    """The figures of one web process."""

    def __init__(self, figures: Figures) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "broadcaster_http_requests",
            "Requests answered, the screens' feed apart.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "broadcaster_http_request_seconds",
            "Time to answer them.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(figures)

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts a request. Its route, not its path, is a label: paths are without number."""
        route: Any = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
