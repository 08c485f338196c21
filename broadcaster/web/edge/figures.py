"""The edge's figures for Prometheus, under the names that the web role has."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from broadcaster.web.edge.server import EdgeServer


class EdgeFigures(Collector):
    """Read when Prometheus asks."""

    def __init__(self, server: "EdgeServer") -> None:
        self._server = server
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The families, with their samples."""
        desk = self._server.desk
        counts = list(desk.served.values())
        polls = CounterMetricFamily(
            "broadcaster_feed_polls", "Polls of screens answered.", labels=["status"]
        )
        polls.add_metric(["200"], sum(count.whole for count in counts))
        polls.add_metric(["304"], sum(count.unchanged for count in counts))
        yield polls
        refused = CounterMetricFamily(
            "broadcaster_screen_refusals", "What screens and panels were refused.", labels=["reason"]
        )
        for reason, count in list(desk.refused.items()):
            refused.add_metric([reason], count)
        yield refused
        yield GaugeMetricFamily("broadcaster_edge_connections", "Connections open.", len(self._server))
        yield GaugeMetricFamily(
            "broadcaster_edge_waiting", "Polls that wait for news.", len(self._server.waiting)
        )
