import psycopg
import pytest

from broadcaster.runtime import House
from broadcaster.settings import Settings
from tests.waiting import until

IDLE = 4
OTHERS = "pid <> pg_backend_pid() AND datname = current_database()"


@pytest.mark.parametrize("check", [False, True])
def test_who_asks_after_the_database_hung_up_notices_nothing(city_database: str, *, check: bool) -> None:
    settings = Settings.from_env({"BROADCASTER_DATABASE_URL": city_database})
    with House.open(settings, check=check) as house:
        held = [house.pool.getconn() for _ in range(IDLE)]
        for each in held:
            house.pool.putconn(each)
        with psycopg.connect(city_database, autocommit=True) as other:
            other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}".encode())
            count = f"SELECT count(*) FROM pg_stat_activity WHERE {OTHERS}".encode()
            until(lambda: other.execute(count).fetchone() == (0,))
        for _ in range(IDLE):
            # As a worker claims a dispatch: each time with the next of the pool's.
            with house.pool.connection() as conn:
                assert conn.execute("SELECT 1").fetchone() == (1,)
