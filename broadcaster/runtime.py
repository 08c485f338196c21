"""The composition root: settings to database, log, views, broker and gateways. It alone reads the clock."""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg_pool import ConnectionPool

from broadcaster import migration, reference
from broadcaster.accounts import sessions
from broadcaster.accounts.desk import Desk
from broadcaster.accounts.sealing import KEY_BYTES, Sealer
from broadcaster.boundaries.store import BoundaryCommands
from broadcaster.commands import packaged_templates
from broadcaster.commands.access import AccessCommands
from broadcaster.commands.alerts import AlertCommands
from broadcaster.commands.due import TIMEKEEPER, Due
from broadcaster.commands.setup import SetupCommands
from broadcaster.delivery.audiences import Audiences
from broadcaster.delivery.canary_watch import CanaryWatch
from broadcaster.delivery.ledger import Ledger
from broadcaster.delivery.sms_desk import SmsBudgets, SmsReceipts
from broadcaster.drafting.drafts import Drafts
from broadcaster.drafting.limits import Limits
from broadcaster.duty.commands import CadenceCommands
from broadcaster.duty.reminders import Reminders
from broadcaster.duty.reports import Reports
from broadcaster.engines.database import database
from broadcaster.keys import Keys
from broadcaster.keys import files as key_files
from broadcaster.log import AlertLog
from broadcaster.office import Office
from broadcaster.office.attachments import Attachments
from broadcaster.process.pooled import standing
from broadcaster.process.steady import SteadyClock
from broadcaster.reckoning.census import CensusTaker
from broadcaster.registry.subscribers import Registry
from broadcaster.reorganisation.mover import Done, Mover
from broadcaster.screens.watch import ScreenWatch
from broadcaster.settings import Settings
from broadcaster.settings.sms_carriers import tariffs_of
from broadcaster.sms_budget import Key, Usage
from broadcaster.topics.book import TopicBook
from broadcaster.topics.claim import TopicClaims
from broadcaster.web.directory import Directory
from channels.led.draw import Artist
from projections.attachments.projection import Attachments as AttachmentUses
from projections.audience.projection import Audience
from projections.audit.projection import Audit
from projections.board.projection import Board
from projections.cadence.projection import Cadence
from projections.cadence.view import CadenceBook
from projections.canary.projection import Canary
from projections.fanout.projection import Fanout
from projections.feeds.projection import Feeds
from projections.follower import Follower
from projections.follower_group import FollowerGroup
from projections.projection import Projection
from projections.reach.projection import Reach
from projections.sms import view as sms
from projections.sms.projection import Sms
from schemas.areas import FIRST_EDITION, AreaTree
from schemas.cadence import CadencePolicy, Reading
from schemas.events import Actor, ReceiptRecorded

log = structlog.get_logger(__name__)

SYSTEM = Actor(account="system:setup")
EDITION = FIRST_EDITION
"""Of the area register: the one in force when the telegram was written."""
POOL_SIZE = 12
LINGER = {
    "audience": 0.1,
    "audit": 0.2,
    "board": 0.02,
    "cadence": 0.1,
    "fanout": 0.2,
    "reach": 0.2,
    "sms": 0.2,
}
"""Seconds that views wait for more; what phones and screens wait for does not."""
URGENT = Fanout.topics - {ReceiptRecorded.TOPIC}
"""What phones wait for. A receipt's follow-up is for a second later at the soonest (channels/retry.py)."""


_steady = SteadyClock(lambda: datetime.now(UTC), time.monotonic)


def clock() -> datetime:
    """The one clock: UTC, aware, steady."""
    return _steady()


class House:
    """Everything that shares one database; roles.py runs parts of it."""

    def __init__(self, settings: Settings, pool: ConnectionPool[Any]) -> None:
        self.settings, self.pool = settings, pool
        self.log = AlertLog(pool)
        self.office = Office(
            self.log,
            reference.categories(),
            settings.sender_domain,
            settings.url,
            Attachments(pool).find,
        )
        audiences = Audiences(pool, self.log)
        self.alerts = AlertCommands(self.office, Limits(settings.sms_segments))
        self.due = Due(pool, self.office, self.alerts)
        self.setup = SetupCommands(self.office)
        self.boundaries = BoundaryCommands(pool, self.office)
        self.registry = Registry(pool, self.tree, lambda name: self.office.register().edition(name).tree)
        self.mover = Mover(pool, self.office, self.registry, clock, TIMEKEEPER)
        self.keys = Keys(pool, Sealer(self._screens_key), log=self.log)
        tariffs = tariffs_of(settings.sms_providers, settings.sms_price, accented=settings.sms_accented)
        self.sms_budgets = SmsBudgets(
            self.office, self._sms_spent, audiences.count, tariffs, taken=self._sms_taken
        )
        self.sms_receipts = SmsReceipts(pool, self.log, clock)
        self.topics = TopicBook(pool, self.log, wanted=settings.push_topics)
        self.canary = CanaryWatch(pool, self.log, settings)
        self.screens = ScreenWatch(pool, self.log, Directory(self.log).screens)
        self.ledger = Ledger(
            pool, self.log, self.office, self.registry, audiences.ranks, canary=self.canary.phone
        )
        self.census = CensusTaker(pool, self.office, self.registry)
        self.cadence = CadenceBook(CadencePolicy(reading=Reading(settings.cadence_reading)))
        origin, key_path = settings.sender_domain, settings.checkpoint_key_path
        self.reports = Reports(pool, self.log, self.cadence, origin=origin, key_path=key_path)
        self.cadence_commands = CadenceCommands(self.office, settings.cadence_office)
        self.reminders = Reminders(pool, self.log, self.cadence, settings.cadence_office)
        self.desk = Desk.of(pool, self.log, Sealer(self._accounts_key), self._limits())
        self.access = AccessCommands(pool, self.office, self.desk.accounts, self.keys)
        self.drafts = Drafts(pool)
        # A new projection is its folder and one entry here.
        self.projections: tuple[Projection, ...] = (
            Board(),
            Audience(),
            Fanout(self.census.take, audiences.frozen, claim=TopicClaims(pool, clock).claim),
            Cadence(),
            Reach(),
            Canary(),
            Feeds(Artist(), self.settings.feed_epoch),
            Audit(),
            Sms(),
            AttachmentUses(),
        )

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, *, check: bool = False) -> Generator[Self]:
        """A house on the database the settings name, or on the embedded one, started if need be.

        `check` is for callers who cannot try again, and whom somebody waits for; see pooled.py.
        """
        with database(settings) as url, standing(url, POOL_SIZE, check=check) as pool:
            yield cls(settings, pool)

    def tree(self) -> AreaTree:
        """The area tree in force now."""
        return self.office.edition(clock()).tree

    # --- schema and first data ------------------------------------------------------------------

    def migrate(self) -> Mapping[str, int]:
        """Creates what the database lacks; safe to repeat, and beside an older program that still runs.

        Answers which views were of another shape than this program's, and up to where they are made anew.
        """
        with migration.tables(self.pool) as conn:
            if sealed := self.keys.seal_former(conn):
                log.info("screen_keys_sealed", keys=sealed)
        made = {each.name: migration.make_view(self.follower(each)) for each in self.projections}
        return {name: position for name, position in made.items() if position is not None}

    def furnish(self) -> None:
        """The area register and the issuing bodies, where they are not in the log yet."""
        at, effective_on = clock(), date.fromisoformat(EDITION)
        adopted = self.setup.adopt_areas(SYSTEM, EDITION, effective_on, reference.areas(EDITION), at=at)
        issuers = [record for record in reference.issuers() if record.since is None]
        registered = self.setup.register_issuers(SYSTEM, issuers, at=at)
        packaged = packaged_templates.packaged_templates()
        packaged_templates.register(self.office, SYSTEM, packaged, at=at)
        if adopted or registered:
            log.info("furnished", edition=EDITION, bodies=registered)

    # --- accounts -------------------------------------------------------------------------------

    def _accounts_key(self) -> bytes:
        return key_files.accounts_key(self.settings)

    def _screens_key(self) -> bytes:
        # Of the same file, for a purpose of its own (HKDF, RFC 5869): one file less to look after.
        derived = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"broadcaster screen signing keys")
        return derived.derive(self._accounts_key())

    def _limits(self) -> sessions.Limits:
        return sessions.Limits(
            idle=timedelta(minutes=self.settings.session_idle_minutes),
            longest=timedelta(hours=self.settings.session_hours),
            fresh=timedelta(minutes=self.settings.fresh_minutes),
        )

    # --- following ------------------------------------------------------------------------------

    def follower(self, projection: Projection) -> Follower:
        """What keeps one projection up to date."""
        return Follower(
            self.pool,
            projection,
            read=self.log.pages,
            append_in=self.log.append_in,
            clock=clock,
            head=self.log.head,
        )

    def followers(self) -> FollowerGroup:
        """What keeps all of them up to date."""
        followers = [self.follower(each) for each in self.projections]
        return FollowerGroup(self.pool, followers, linger=LINGER, urgent=URGENT)

    def projection(self, name: str) -> Projection:
        """The projection of that name. Raises LookupError."""
        for projection in self.projections:
            if projection.name == name:
                return projection
        names = ", ".join(each.name for each in self.projections)
        raise LookupError(f"no projection {name}; there are {names}")

    def keep_time(self) -> int:
        """Does what the clock brings about; answers to how many alerts."""
        done = self.due.keep(clock())
        # Last: whatever is wrong with a request for access, alerts do not wait for it.
        self.access.lapse(TIMEKEEPER, clock())
        return done

    def move_due_subscribers(self) -> Done:
        """Brings subscribers and screens to the edition of the area register that is in force."""
        return self.mover.move()

    def watch_screens(self) -> int:
        """Says which screens fell silent or are heard again, and ends keys whose overlap is over."""
        at = clock()
        return self.screens.watch(at) + self.keys.end_due(at, TIMEKEEPER)

    def watch_canary(self) -> int:
        """Sends the test items that are due, and raises the alarm about the late."""
        return self.canary.watch(clock())

    # --- what budgets ask of the house ------------------------------------------------------------

    def _sms_spent(self, issuer_id: str, day: date) -> dict[Key, Usage]:
        with self.pool.connection() as conn:
            return {key: Usage(*took) for key, took in sms.spent(conn, issuer_id, day).items()}

    def _sms_taken(self, alert_id: UUID) -> bool:
        with self.pool.connection() as conn:
            return any(each.accepted for each in sms.of_alert(conn, alert_id))


__all__ = ["House", "clock"]
