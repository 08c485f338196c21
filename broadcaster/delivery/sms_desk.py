"""What the SMS worker asks of the house: may this go out, and keep what carriers said of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg_pool import ConnectionPool

from broadcaster.delivery.recent import Recent
from broadcaster.log import AlertLog, ConflictError
from broadcaster.office import Office
from broadcaster.process.patience import patiently
from broadcaster.sms_budget import Key, Order, SmsBudget, Usage, budget_stream, day_of
from channels.gateway import Message
from channels.sms.cost import Tariff, at_most
from channels.sms.receipts import About, Batch, Told
from schemas.content import Channel, Lane, MsgType
from schemas.dispatch import Dispatch, Fate
from schemas.events import Actor, SmsBudgetEvent, SmsDelivered
from schemas.ids import audience_id

SMS_DDL = """
CREATE TABLE IF NOT EXISTS sms_awaited (
    provider text NOT NULL,
    message_id text NOT NULL,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (provider, message_id)
);
CREATE INDEX IF NOT EXISTS sms_awaited_sent ON sms_awaited (sent_at);
"""
"""Messages whose receipt is awaited, by the carrier's own id: no number, and gone within days."""

BUDGET = "BUDGET"
"""The reason in receipts of a bulletin that was over its body's budget."""
WORKER = Actor(account="system:worker:sms")
AWAITED_FOR = timedelta(days=3)
KEPT, TRIES = 256, 20

_AWAIT = "COPY sms_awaited_new (provider, message_id, alert_id, version, sent_at) FROM STDIN"
_KEEP = "INSERT INTO sms_awaited SELECT * FROM sms_awaited_new ON CONFLICT DO NOTHING"
_ANSWERED = """
DELETE FROM sms_awaited a USING unnest(%s::text[], %s::text[], %s::text[]) AS t(provider, message_id, fate)
WHERE a.provider = t.provider AND a.message_id = t.message_id
RETURNING a.provider, a.message_id, a.alert_id, a.version, t.fate
"""

ReadSpent = Callable[[str, date], Mapping[Key, Usage]]
"""What receipts say a body's versions took on a day."""
CountAudience = Callable[[UUID], int]
"""How many a frozen audience holds. Raises LookupError."""


class SmsBudgets:
    """Decides once for each version whether it fits its body's budget. Thread-safe."""

    def __init__(
        self,
        office: Office,
        spent: ReadSpent,
        audience: CountAudience,
        tariffs: Sequence[Tariff],
        *,
        taken: Callable[[UUID], bool],
    ) -> None:
        """`taken` says whether a carrier took a message of the alert, as far as receipts say."""
        self._office, self._log = office, office.log
        self._spent, self._audience, self._tariffs, self._taken = spent, audience, tariffs, taken
        self._budgets = Recent[str, SmsBudget](KEPT)
        self._issuers = Recent[UUID, str](KEPT)

    def of(self, issuer_id: str) -> SmsBudget:
        """A body's budget now; only what is new is read again."""
        known = self._budgets.get(issuer_id) or SmsBudget(issuer_id)
        now = self._log.forward(budget_stream(issuer_id), _fold, known)
        self._budgets.put(issuer_id, now)
        return now

    def refusal(self, dispatch: Dispatch, message: Message, at: datetime) -> str:
        """Why nobody of the dispatch gets it; empty where they do, which an alert always is."""
        return patiently(lambda: self._refusal(dispatch, message, at))

    def _refusal(self, dispatch: Dispatch, message: Message, at: datetime) -> str:
        key = (dispatch.alert_id, dispatch.version)
        for _ in range(TRIES):
            budget = self.of(self._issuer(dispatch.alert_id))
            if not budget.is_set or key in budget.decided:
                return BUDGET if key in budget.stopped else ""
            bulletin = dispatch.lane is Lane.BULLETIN
            if message.msg_type is MsgType.CANCEL:
                # Who got nothing needs no withdrawal; who got something gets it, whatever it costs.
                if self._reached_nobody(budget, *key):
                    return BUDGET
                bulletin = False
            count = self._audience(dispatch.audience_id)
            need = Usage(*at_most(message, count, self._tariffs))
            order = Order(*key, bulletin, count, need)
            spent = self._spent(budget.issuer_id, day_of(at))
            event = budget.decide(WORKER, order, spent, at)
            assert event is not None
            try:
                self._log.append([event], at=at)
            except ConflictError:
                continue  # another slice, or another version, was decided first
        raise ConflictError("the budget is being changed by others; try again")

    def _reached_nobody(self, budget: SmsBudget, alert_id: UUID, version: int) -> bool:
        """Whether all that went by SMS before was stopped, before it had reached anyone.

        A version may have gone out before there was a budget, whole or in part.
        """
        went = [
            before
            for before in range(1, version)
            if self._log.has(audience_id(alert_id, before, Channel.SMS))
        ]
        return budget.silenced(alert_id, went) and not self._taken(alert_id)

    def _issuer(self, alert_id: UUID) -> str:
        known = self._issuers.get(alert_id)
        if known is None:
            known = self._office.alert(alert_id).issuer_id
            self._issuers.put(alert_id, known)
        return known


class SmsReceipts:
    """Keeps what awaits a receipt, and turns receipts into events of counts."""

    def __init__(self, pool: ConnectionPool[Any], log: AlertLog, clock: Callable[[], datetime]) -> None:
        self._pool, self._log, self._clock = pool, log, clock

    def note(self, batch: Batch) -> list[Told]:
        """As channels.sms.receipts.Note, in one transaction: a receipt that comes again counts once."""
        at = self._clock()
        counts = {about: Counter(fates) for about, fates in batch.counts.items()}
        found = set[tuple[str, str]]()
        with self._pool.connection() as conn, conn.cursor() as cursor:
            if batch.sent:
                cursor.execute("CREATE TEMP TABLE sms_awaited_new (LIKE sms_awaited) ON COMMIT DROP")
                with cursor.copy(_AWAIT) as copy:
                    for one in batch.sent:
                        copy.write_row((*one, at))
                cursor.execute(
                    "INSERT INTO sms_awaited SELECT * FROM sms_awaited_new ON CONFLICT DO NOTHING"
                )
                cursor.execute("DELETE FROM sms_awaited WHERE sent_at < %s", (at - AWAITED_FOR,))
            if batch.told:
                providers, ids, fates = zip(*batch.told, strict=True)
                cursor.execute(_ANSWERED, (list(providers), list(ids), [fate.value for fate in fates]))
                for provider, message_id, alert_id, version, fate in cursor.fetchall():
                    found.add((provider, message_id))
                    counts.setdefault(About(alert_id, version, provider), Counter())[Fate(fate)] += 1
            if counts:
                self._log.append_in(cursor, [_event(*one) for one in counts.items()], at)
        return [one for one in batch.told if (one.provider, one.message_id) not in found]


def _event(about: About, counts: Counter[Fate]) -> SmsDelivered:
    return SmsDelivered(
        originator_id=uuid4(),
        originator_version=1,
        by=WORKER,
        alert_id=about.alert_id,
        version=about.version,
        provider=about.provider,
        counts=dict(sorted(counts.items())),
    )


def _fold(state: SmsBudget, event: SmsBudgetEvent) -> SmsBudget:
    return state.after(event)
