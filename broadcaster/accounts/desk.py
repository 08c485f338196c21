"""What the web needs to know who is at the console."""

from dataclasses import dataclass
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.accounts.noting import Diary, Noting
from broadcaster.accounts.oidc_links import LINKS_DDL, OidcLinks
from broadcaster.accounts.passwords import Passwords
from broadcaster.accounts.pending import PENDING_DDL
from broadcaster.accounts.recovery import RECOVERY_DDL
from broadcaster.accounts.sealing import Sealer
from broadcaster.accounts.sessions import SESSIONS_DDL, Limits, Sessions
from broadcaster.accounts.store import ACCOUNTS_DDL, Accounts
from broadcaster.accounts.throttle import THROTTLE_DDL, Throttle

DESK_DDL = ACCOUNTS_DDL + SESSIONS_DDL + THROTTLE_DDL + PENDING_DDL + RECOVERY_DDL + LINKS_DDL


@dataclass(frozen=True)
class Desk:
    """Accounts, their sessions, and the brake on guessing."""

    accounts: Accounts
    sessions: Sessions
    throttle: Throttle
    links: OidcLinks
    pages: Sealer
    """Seals what a page of the console carries, to be brought back by it."""

    @classmethod
    def of(
        cls,
        pool: ConnectionPool[Any],
        log: Diary,
        sealer: Sealer,
        limits: Limits | None = None,
        passwords: Passwords | None = None,
    ) -> "Desk":
        """On a database that has the tables of DESK_DDL."""
        return cls(
            Accounts(pool, log, sealer, passwords),
            Sessions(pool, limits),
            Throttle(pool),
            OidcLinks(pool, Noting(log)),
            sealer.apart("broadcaster pages of the console"),
        )
