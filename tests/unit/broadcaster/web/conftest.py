"""The town as it was built, for every test. It is rebuilt by its rows: a database a test costs 0.4 s."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from broadcaster.engines.embedded import PostgresServer
from tests.unit.broadcaster.web.screen_polls import screen_key
from tests.unit.broadcaster.web.town import Town, town


@dataclass(frozen=True)
class Built:
    """A database with a town in it, the keys of its accounts, and its tables."""

    url: str
    keys: dict[str, str]
    tables: tuple[sql.Identifier, ...]

    def restore(self) -> None:
        """Every row as it was when the town was built."""
        with psycopg.connect(self.url) as conn:
            for table in self.tables:
                conn.execute(sql.SQL("DELETE FROM public.{}").format(table))
            for table in self.tables:
                conn.execute(
                    sql.SQL("INSERT INTO public.{} OVERRIDING SYSTEM VALUE SELECT * FROM built.{}").format(
                        table, table
                    )
                )


@pytest.fixture(name="built", scope="session")
def _built(postgres: PostgresServer) -> Built:
    name = f"town_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres.url_of(name)
    with town(url) as first:
        keys = dict(first.keys)
    with psycopg.connect(url) as conn:
        conn.execute("CREATE SCHEMA built")
        found = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = tuple(sql.Identifier(table) for (table,) in found)
        for table in tables:
            conn.execute(sql.SQL("CREATE TABLE built.{} AS TABLE public.{}").format(table, table))
    return Built(url, keys, tables)


@pytest.fixture(name="town")
def _town(built: Built) -> Iterator[Town]:
    built.restore()
    with town(built.url, built.keys) as restored:
        yield restored


@pytest.fixture(name="own_town")
def _own_town(database: str) -> Iterator[Town]:
    """In a database of its own, for a test that breaks it."""
    with town(database) as built:
        yield built


@pytest.fixture(name="key")
def _key(town: Town) -> str:
    return screen_key(town)
