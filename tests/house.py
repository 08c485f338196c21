"""A furnished house for tests: bodies of the register, accounts, contents. See `city_database`."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from broadcaster.account import Role
from broadcaster.commands.bodies import BodyCommands
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from schemas.content import Content
from schemas.dispatch import Receipt
from schemas.events import Actor
from tests.unit.schemas.examples import CONTENT

PHUC_XA, TRUC_BACH, BA_DINH = "ubnd-00001", "ubnd-00004", "ubnd-001"


def author(body: str) -> Actor:
    return Actor(account=f"author@{body}", body=body)


def approver(body: str) -> Actor:
    return Actor(account=f"approver@{body}", body=body)


def manager(body: str) -> Actor:
    return Actor(account=f"manager@{body}", body=body)


def content(*areas: str, **changes: object) -> Content:
    """An alert to these areas that ends in six hours."""
    end = clock() + timedelta(hours=6)
    return CONTENT.model_copy(update={"areas": areas or ("00001",), "expires_at": end, **changes})


def furnish(database: str) -> None:
    """Tables, areas, bodies, and an account for each role of three bodies."""
    with house(database) as opened:
        opened.migrate()
        opened.furnish()
        for body in (PHUC_XA, TRUC_BACH, BA_DINH):
            for role in Role:
                opened.setup.grant(SYSTEM, f"{role}@{body}", body, role, at=clock())


def awake(opened: House, body: str) -> None:
    """Bulletins of the body go out at any hour: else those of a test are held when it is night in Hanoi."""
    commands = BodyCommands(opened.office)
    commands.set_policy(manager(body), body, one_person_bulletins=False, quiet_hours=None, at=clock())


@contextmanager
def house(database: str, *, check: bool = False, **settings: object) -> Generator[House]:
    """A house on that database; `check` as of House.open."""
    found = Settings.from_env({"BROADCASTER_DATABASE_URL": database}, **settings)
    with House.open(found, check=check) as opened:
        yield opened


def end(opened: House, receipt: Receipt) -> None:
    """Has a dispatch end with this receipt, as the worker that claims it would."""
    claim = opened.ledger.claim(receipt.dispatch, clock())
    opened.ledger.close(receipt, claim.claims, [], clock())
