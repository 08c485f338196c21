"""The document of the messages is made from the workers' own registration."""

from typing import Any

from broadcaster.asyncapi import document
from channels.topology import DELIVERED
from schemas.content import Lane
from schemas.dispatch import Dispatch, dispatch_subject


def test_it_names_every_lane_and_road_and_what_travels_there() -> None:
    made: dict[str, Any] = document()
    assert made["asyncapi"] == "3.0.0"
    addresses = {channel["address"] for channel in made["channels"].values()}
    assert addresses == {dispatch_subject(lane, channel) for lane in Lane for channel in DELIVERED}
    payloads = made["components"]["schemas"]
    assert set(Dispatch.model_fields) <= set(payloads["Dispatch"]["properties"])
