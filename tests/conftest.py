"""The real engines, for every test."""

from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from broadcaster.engines.embedded import NatsServer, PostgresServer
from tests import profiles
from tests.house import furnish
from tests.processes import passable_folder

profiles.load()


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    """One PostgreSQL for the session, without fsync."""
    with passable_folder() as folder, PostgresServer(folder, durable=False) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Generator[str]:
    """The URL of a fresh empty database."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres.url_of(name)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def nats(tmp_path: Path) -> Generator[NatsServer]:
    """A fresh nats-server with JetStream."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture(scope="session")
def furnished(postgres: PostgresServer) -> str:
    """The name of a template database: migrated, with areas, bodies and a few accounts."""
    name = "furnished"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    furnish(postgres.url_of(name))
    return name


@pytest.fixture
def city_database(postgres: PostgresServer, furnished: str) -> Generator[str]:
    """The URL of a database of its own, as `furnished`."""
    name = f"test_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(furnished)))
        yield postgres.url_of(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
