"""Making a view anew beside the one in use, and putting it in its place in one moment."""

from types import TracebackType
from typing import Any, Self

from psycopg import Connection, Cursor, sql
from psycopg_pool import ConnectionPool

from projections.positions import POSITIONS_DDL, WAIT
from projections.projection import Projection, Row

LOCK_WAIT = "2s"
"""Whoever reads the view waits behind us for so long at most; then we step back and try again."""


class Beside:
    """A schema of its own in which the projection's tables are made and filled. Enter it; leaving drops it.

    `pool` has that schema before the usual one: the projection's tables, and its position, are those in
    here; the log and all else are the house's. One at a time for each projection: another one waits.
    """

    pool: ConnectionPool[Any]

    def __init__(self, pool: ConnectionPool[Any], projection: Projection) -> None:
        self._house, self._projection = pool, projection
        self._schema = sql.Identifier(f"rebuilding_{projection.name}")

    def __enter__(self) -> Self:
        self._alone = self._house.getconn(WAIT)
        try:
            self._alone.autocommit = True
            self._alone.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (self._key,))
            # One that was killed left its own.
            self._alone.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(self._schema))
            self._alone.execute(sql.SQL("CREATE SCHEMA {}").format(self._schema))
            self.pool = self._pool()
            with self.pool.connection(WAIT) as conn:
                conn.execute(POSITIONS_DDL)
                conn.execute(self._projection.ddl.encode())
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def settle(self) -> None:
        """Has the planner know the new tables, before anyone waits for an answer from them."""
        with self.pool.connection(WAIT) as conn:
            conn.autocommit = True
            conn.execute(sql.SQL("VACUUM (ANALYZE) {}").format(self._tables))
            conn.autocommit = False

    def take_over(self, cursor: Cursor[Row]) -> None:
        """Puts the new tables in the place of the old ones when the cursor's transaction commits.

        Raises LockNotAvailable where a reader holds an old one for long: to be tried again.
        """
        home = cursor.execute("SELECT current_schema()").fetchone()
        assert home
        cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_WAIT))
        for table in self._projection.tables:
            old, made = (
                sql.Identifier(home[0], table),
                sql.SQL("{}.{}").format(self._schema, sql.Identifier(table)),
            )
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(old))
            cursor.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(made, sql.Identifier(home[0])))

    @property
    def _key(self) -> str:
        return f"broadcaster rebuild {self._projection.name}"

    @property
    def _tables(self) -> sql.Composable:
        return sql.SQL(", ").join(map(sql.Identifier, self._projection.tables))

    def _pool(self) -> ConnectionPool[Any]:
        def before(conn: Connection[Any]) -> None:
            here = sql.SQL(
                "SELECT set_config('search_path', {} || ', ' || current_setting('search_path'), false)"
            )
            conn.execute(here.format(sql.Literal(self._schema.as_string())))
            conn.commit()

        return ConnectionPool(
            self._house.conninfo,
            kwargs=self._house.kwargs,
            configure=before,
            min_size=1,
            max_size=2,
            open=True,
            name=self._key,
        )

    def _leave(self) -> None:
        if hasattr(self, "pool"):
            self.pool.close()
        if not self._alone.closed:
            self._alone.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(self._schema))
            self._alone.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (self._key,))
            self._alone.autocommit = False
        self._house.putconn(self._alone)
