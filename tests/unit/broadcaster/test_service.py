"""One machine and the cluster run the same roles."""

from pathlib import Path

import yaml

from broadcaster.roles import Role
from broadcaster.service import STAFF, children
from broadcaster.settings import Settings
from schemas.content import Channel, Lane

COMPOSE = Path(__file__).parents[3] / "compose.yaml"


def command(role: Role, lanes: tuple[Lane, ...]) -> list[str]:
    argv = ["broadcaster", "serve", "--role", role.value]
    for lane in lanes:
        argv += ["--lane", lane.value]
    return argv


def test_compose_runs_the_staff_of_a_service_and_the_edge() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    serving = {
        name: service["command"]
        for name, service in services.items()
        if service.get("command", [""])[:2] == ["broadcaster", "serve"]
    }
    edge = serving.pop("led-edge")
    assert edge == command(Role.LED_EDGE, ()), "a house on one machine has the web role for screens"
    assert serving == {name: command(role, lanes) for name, (role, lanes) in STAFF.items()}


def test_every_lane_of_every_channel_has_a_worker() -> None:
    for channel in (Channel.PUSH, Channel.SMS):
        lanes = [lane for role, held in STAFF.values() if role.value == channel for lane in held]
        assert sorted(lanes) == sorted(Lane)


def test_push_has_as_many_processes_as_the_operator_wants() -> None:
    def names(count: int) -> list[str]:
        return [child.name for child in children(Settings(push_workers=count), [])]

    assert {"push", "push-2", "push-emergency", "push-emergency-2"} <= set(names(2))
    assert sorted(set(names(3)) - set(names(1))) == [
        "push-2",
        "push-3",
        "push-emergency-2",
        "push-emergency-3",
    ]


def test_compose_has_push_processes_enough_for_the_quota_a_fifth_of_a_second_away() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    house = Settings()
    for name in ("push", "push-emergency"):
        ceiling = services[name]["deploy"]["replicas"] * house.push_in_doubt / 0.2
        assert ceiling >= house.push_quota / 60
