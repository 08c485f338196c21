"""The canary's keeper: sends what is due, and raises the alarm about what is late or lost."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from psycopg_pool import ConnectionPool

from broadcaster.delivery.canary import CanaryAddress, CanaryPhone, alarms, next_probes
from broadcaster.log import AlertLog, ConflictError
from broadcaster.settings import Settings
from projections.canary import view as canary_view
from schemas.content import Channel, Lane
from schemas.ids import canary_stream

log = structlog.get_logger(__name__)


class CanaryWatch:
    """Beside another keeper it sends nothing twice: the log takes each number once."""

    def __init__(self, pool: ConnectionPool[Any], alert_log: AlertLog, settings: Settings) -> None:
        self._pool, self._log = pool, alert_log
        self._every = timedelta(seconds=settings.canary_every)
        self.phone = _phone(settings)

    def watch(self, at: datetime) -> int:
        """Answers how many events there were to tell of."""
        if not self._every:
            return 0
        with self._pool.connection() as conn:
            probes = canary_view.probes(conn)
        numbers = {lane: self._log.length(canary_stream(lane)) for lane in Lane}
        seen = {probe.lane: probe.number for probe in probes}
        behind = any(seen.get(lane, 0) < number for lane, number in numbers.items())
        channels = tuple(self.phone.addresses)
        sent = [] if behind else next_probes(probes, numbers, channels, self._every, at)
        late = [event for event in alarms(probes, at) if not self._log.has(event.originator_id)]
        told = 0
        for event in (*sent, *late):
            try:
                self._log.append([event], at=at)
            except ConflictError:
                continue
            told += 1
        for event in late:
            log.error("canary_late", lane=event.lane, channel=event.channel, number=event.number)
        return told


def _phone(settings: Settings) -> CanaryPhone:
    addresses: dict[Channel, CanaryAddress] = {}
    if settings.canary_token is not None:
        token = settings.canary_token.get_secret_value()
        addresses[Channel.PUSH] = CanaryAddress(token, "token", "android")
    if settings.canary_phone is not None:
        addresses[Channel.SMS] = CanaryAddress(settings.canary_phone.get_secret_value(), "msisdn")
    return CanaryPhone(addresses)
