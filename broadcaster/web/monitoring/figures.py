"""Figures of the delivery and of the house's soundness, read when a monitor asks: some 30 ms of work."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from broadcaster.web.monitoring import soundness
from broadcaster.web.monitoring.soundness import Soundness
from broadcaster.web.services import Services
from projections.fanout.outbox import oldest_open
from projections.reach.view import Totals, totals_by_channel
from schemas.content import Channel, Lane
from schemas.dispatch import FINAL


def families(services: Services) -> Iterator[Metric]:
    """What operators are woken by, what lies where, and what became of recipients."""
    sight = soundness.look(services)
    yield from _sound(sight)
    yield from _lying(sight)
    with services.reading() as conn:
        orders, totals = oldest_open(conn), totals_by_channel(conn)
    yield _oldest(services.ports.log.times(orders.values()), orders, sight)
    yield _recipients(totals)
    yield _passers_by(services)


def _sound(sight: Soundness) -> Iterator[Metric]:
    trouble = GaugeMetricFamily(
        "broadcaster_trouble",
        "1 while it wants someone's eyes; the page of the system says why.",
        labels=["kind"],
    )
    for kind, is_so in sight.signs.items():
        trouble.add_metric([kind], float(is_so))
    yield trouble
    engine = GaugeMetricFamily("broadcaster_engine_up", "1 while the engine answers.", labels=["engine"])
    for name, well in sight.engines.items():
        engine.add_metric([name], float(well))
    yield engine
    letters = sight.letters
    yield GaugeMetricFamily(
        "broadcaster_dead_letter_recipients", "Given up, and settled by nobody yet.", letters.recipients
    )


def _lying(sight: Soundness) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "broadcaster_unpublished_orders", "Orders that wait for the relay.", labels=["lane"]
    )
    for lane, count in sight.unpublished.items():
        waiting.add_metric([lane], count)
    yield waiting
    pending = GaugeMetricFamily(
        "broadcaster_lane_pending",
        "Orders in the broker that nobody has taken.",
        labels=["lane", "channel"],
    )
    in_hand = GaugeMetricFamily(
        "broadcaster_lane_in_hand", "Orders that a worker has in hand.", labels=["lane", "channel"]
    )
    # None of either where the transport is silent, which is a trouble: nought would look like peace.
    for depth in sight.lanes or ():
        pending.add_metric([depth.lane, depth.channel], depth.pending)
        in_hand.add_metric([depth.lane, depth.channel], depth.in_hand)
    yield from (pending, in_hand)


def _oldest(times: Mapping[int, datetime], orders: Mapping[Lane, int], sight: Soundness) -> Metric:
    family = GaugeMetricFamily(
        "broadcaster_oldest_order_seconds",
        "Since the oldest order without a receipt was made; 0 where each has one.",
        labels=["lane"],
    )
    for lane in Lane:
        made = times.get(orders.get(lane, 0))
        family.add_metric([lane], max(0.0, (sight.at - made).total_seconds()) if made else 0.0)
    return family


def _recipients(totals: Mapping[Channel, Totals]) -> Metric:
    family = GaugeMetricFamily(
        "broadcaster_recipients", "What became of them, exercises left out.", labels=["channel", "outcome"]
    )
    for channel, total in totals.items():
        for outcome in FINAL:
            family.add_metric([channel, outcome], getattr(total, outcome))
        family.add_metric([channel, "open"], total.in_flight)
    return family


def _passers_by(services: Services) -> Metric:
    family = CounterMetricFamily(
        "broadcaster_public_answers",
        "The public's questions that were answered from copies, and what was refused in short.",
        labels=["kind", "status"],
    )
    for (kind, status), count in list(services.copies.served.items()):
        family.add_metric([kind, str(status)], count)
    return family
