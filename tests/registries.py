"""A registry on a fresh database, and people to put in it."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from broadcaster import reference
from broadcaster.engines.embedded import PostgresServer
from broadcaster.registry.csv_import import SUBSCRIBER_IMPORTS_DDL
from broadcaster.registry.subscribers import SUBSCRIBERS_DDL, NewSubscriber, Registry
from schemas.areas import Area, AreaTree

AT = datetime(2024, 9, 7, 12, 0, tzinfo=UTC)
HANOI = reference.tree("2020-03-01")

# A city of two districts with three and two communes: 01 is 0, 001 is 1, 00101 is 2, ... 00202 is 7.
SMALL = AreaTree(
    "small",
    [
        Area(code="01", name="Thành phố", kind="thanh_pho", level=1, population=1000),
        Area(code="001", name="Quận Một", kind="quan", level=2, parent_code="01", population=900),
        Area(code="002", name="Quận Hai", kind="quan", level=2, parent_code="01", population=100),
        *(
            Area(code=code, name=f"Phường {code}", kind="phuong", level=3, parent_code=code[:3])
            for code in ("00101", "00102", "00103", "00201", "00202")
        ),
    ],
)


class Desk(NamedTuple):
    """A registry, and the pool it uses."""

    registry: Registry
    pool: ConnectionPool[Any]

    def clear(self) -> None:
        """Takes everyone out."""
        with self.pool.connection() as connection:
            # Quicker than TRUNCATE on tables as small as these.
            connection.execute("DELETE FROM subscribers; DELETE FROM subscriber_imports")


@contextmanager
def desk_on(server: PostgresServer, tree: AreaTree = SMALL) -> Generator[Desk]:
    """A registry on a database of its own."""
    name = f"registry_{uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with ConnectionPool[Any](server.url_of(name), min_size=1, max_size=8) as pool:
            with pool.connection() as first:
                first.execute(SUBSCRIBERS_DDL)
                first.execute(SUBSCRIBER_IMPORTS_DDL)
            yield Desk(Registry(pool, lambda: tree), pool)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def person(
    token: str | None = None, phone: str | None = None, home: str = "00101", **said: Any
) -> NewSubscriber:
    """A registration; one with a token is an Android phone."""
    platform = None if token is None else "android"
    return NewSubscriber.model_validate(
        {"token": token, "platform": platform, "phone": phone, "home": home} | said
    )


def holdings(pool: ConnectionPool[Any]) -> set[tuple[Any, ...]]:
    """Every subscriber without what is random or counted: ids, secret, times."""
    query = """
        SELECT push_token, push_kind, platform, msisdn, locale, edition, home, home_no, opt_outs::text,
            ARRAY(SELECT area_no FROM subscriber_areas WHERE subscriber_id = id ORDER BY area_no)::text
        FROM subscribers"""
    with pool.connection() as connection:
        rows = connection.execute(query).fetchall()
    assert len(set(rows)) == len(rows)
    return set(rows)
