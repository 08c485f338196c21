"""`broadcaster restored`: what is done before the roles start on an older copy of the database."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from broadcaster.cli.operator import OPERATOR, ByOption, operator
from broadcaster.delivery import restored
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from projections.fanout import view as fanout
from schemas.requests import Body, Reason

_RUNNING = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'broadcaster %%' ORDER BY 1
"""
_MOST = 1_000_000
"""Open orders: a city's has some 2,000 by SMS."""
_LEFT = """\
Left to do, then start the roles:
- Remove the broker's data: it may hold orders that this log does not know. It is ordered anew.
- Set BROADCASTER_FEED_EPOCH to {epoch} and run `broadcaster rebuild feeds`: screens refuse what is
  older than what they show.
- Phones may hold alerts issued after {until}, which nobody can withdraw from here: where one was
  wrong, issue a new alert.
- `broadcaster log verify --checkpoints FILE` tells how much is missing, by checkpoints kept elsewhere."""


class _Asked(Body):
    reason: Reason


def command(
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: ByOption = OPERATOR,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder.")] = None,
) -> None:
    """Prepare an older copy of the database that took a newer one's place: no SMS shall go twice."""
    asking = operator(by)
    try:
        said = _Asked(reason=reason).reason
    except ValidationError:
        raise SettingsError("--reason: 1 to 500 characters, no control characters") from None
    settings = Settings.from_env(data=data)
    with House.open(settings) as house:
        _check_stopped(house)
        head = house.log.head()
        until = house.log.times([head]).get(head)
        if until is None:
            raise SettingsError("the log is empty: there is nothing that anyone could have been sent")
        found = _settle(house)
        house.log.append([restored.record(asking, until, found, said)], at=clock())
        typer.echo(f"the log ends at position {head}, {until:%Y-%m-%dT%H:%M:%SZ}: nothing later is known")
        typer.echo(
            f"{found.recipients} recipients by SMS, of {found.orders} orders, may have had theirs: they are"
            " dead letters now, to be replayed or written off (`broadcaster dead-letters list`)"
        )
        typer.echo("pushes that were open go out again: a phone shows a repeat in place of the first")
        if house.topics.wanted:
            typer.echo(f"{house.topics.resync()} phones are to be subscribed to their topics again")
        typer.echo(_LEFT.format(epoch=settings.feed_epoch + 1, until=f"{until:%Y-%m-%dT%H:%M:%SZ}"))


def _check_stopped(house: House) -> None:
    with house.pool.connection() as conn:
        running = [name for (name,) in conn.execute(_RUNNING)]
    if running:
        raise SettingsError(f"stop the roles first; connected are: {', '.join(running)}")


def _settle(house: House) -> restored.SetAside:
    # Whatever the copy leads to is ordered first: what was due in between, and audiences not fixed yet.
    house.keep_time()
    follower = house.follower(house.projection("fanout"))
    follower.catch_up()
    with house.pool.connection() as conn:
        orders = fanout.undone(conn, limit=_MOST)
    found = restored.set_aside(house.ledger, orders, clock())
    follower.catch_up()
    return found
