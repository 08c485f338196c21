"""The AsyncAPI document of what travels between the relay and the workers, from the code itself."""

import json
from typing import Any

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI

from broadcaster.runtime import clock
from channels.topology import DELIVERED
from channels.worker import add_worker
from schemas.content import Lane
from schemas.dispatch import Dispatch, Receipt


async def _deliver(dispatch: Dispatch) -> Receipt | None:
    raise AssertionError(f"a document delivers nothing, {dispatch.id} least of all")


def document() -> dict[str, Any]:
    """AsyncAPI 3.0: a channel for each lane and road."""
    broker = NatsBroker(logger=None)
    for channel in DELIVERED:
        add_worker(broker, channel, dict.fromkeys(Lane, 1), _deliver, clock)
    made = AsyncAPI(
        broker,
        title="Alert broadcaster: dispatches",
        version="1",
        schema_version="3.0.0",
        description="Orders to a channel for a slice of a frozen audience: references, never addresses.",
    )
    return json.loads(made.to_specification().to_json())
