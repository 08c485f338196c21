"""compose.yaml, its secrets and its cluster of nats-servers, as far as that runs without containers."""

import asyncio
import re
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import nats
import pytest
import yaml
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from uvicorn.middleware.proxy_headers import _TrustedHosts  # type: ignore[reportPrivateUsage]

from broadcaster.engines.children import end, spawn
from broadcaster.engines.embedded import NatsServer
from broadcaster.engines.natshome import find_binary
from broadcaster.keys import files as key_files
from broadcaster.keys.vapid import public_key
from broadcaster.proof.checkpoint import load_key
from broadcaster.settings import Settings
from schemas.content import Lane
from tests.ports import own_port
from tests.waiting import until

ROOT = Path(__file__).parents[2]
ROLES = {"web", "led-edge", "follow", "relay", "push-emergency", "push", "sms-emergency", "sms"}
BROKERS = {"nats-1", "nats-2", "nats-3"}


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def settings_file() -> dict[str, str]:
    lines = (ROOT / "deploy" / "broadcaster.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True, capture_output=True)
    return folder


def test_every_role_and_engine_is_there(compose: Any) -> None:
    assert set(compose["services"]) == ROLES | BROKERS | {"postgres", "migrate"}


def test_all_but_the_one_that_ends_say_whether_they_are_well(compose: Any) -> None:
    unwatched = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert unwatched == {"migrate"}


@pytest.mark.parametrize("role", ["push", "sms"])
def test_each_lane_has_one_process_and_emergencies_their_own(compose: Any, role: str) -> None:
    def lanes(name: str) -> list[str]:
        command = compose["services"][name]["command"]
        return [value for option, value in pairwise(command) if option == "--lane"]

    assert lanes(f"{role}-emergency") == [Lane.EMERGENCY]
    assert sorted([*lanes(f"{role}-emergency"), *lanes(role)]) == sorted(Lane)


def test_roles_start_on_healthy_engines_and_finished_tables(compose: Any) -> None:
    for name in ROLES:
        conditions = {
            key: value["condition"] for key, value in compose["services"][name]["depends_on"].items()
        }
        assert conditions.pop("migrate") == "service_completed_successfully"
        assert conditions == dict.fromkeys({"postgres", *BROKERS}, "service_healthy")


def test_three_brokers_keep_three_replicas_in_stores_of_their_own(
    compose: Any, settings_file: Mapping[str, str]
) -> None:
    assert settings_file["BROADCASTER_NATS_REPLICAS"] == "3"
    urls = settings_file["BROADCASTER_NATS_URL"].split(",")
    assert urls == [f"nats://{name}:4222" for name in sorted(BROKERS)]
    stores = {volume for name in BROKERS for volume in compose["services"][name]["volumes"]}
    assert stores == {f"{name}:/data" for name in BROKERS}
    config = (ROOT / "deploy" / "nats" / "nats.conf").read_text().splitlines()
    assert "  sync_interval: always" in config
    assert "  max_file_store: 8GB" in config


def test_engines_are_reached_by_our_roles_only(compose: Any) -> None:
    assert compose["networks"]["inner"]["internal"] is True
    for name in {"postgres", *BROKERS}:
        assert compose["services"][name]["networks"] == ["inner"]
        assert "ports" not in compose["services"][name]
    for name in ("web", "led-edge"):
        assert all(port.startswith("127.0.0.1:") for port in compose["services"][name]["ports"])


def test_the_edge_listens_where_it_is_published_and_asked_for_its_health(compose: Any) -> None:
    edge = compose["services"]["led-edge"]
    port = edge["environment"]["BROADCASTER_LISTEN"].rpartition(":")[2]
    assert edge["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/healthz" in edge["healthcheck"]["test"][-1]
    assert edge["environment"]["BROADCASTER_EDGE_PER_ADDRESS"] == "0"
    assert edge["ulimits"]["nofile"] >= 65_536


def test_callers_are_told_apart_behind_the_proxy(compose: Any) -> None:
    trusted = compose["services"]["web"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert "*" not in trusted, "or anyone could say that he is someone else"
    proxies = _TrustedHosts(trusted)
    assert proxies.get_trusted_client_address("198.51.100.7, 203.0.113.9") == ("203.0.113.9", 0)
    assert "172.18.0.1" in proxies


def test_no_secret_stands_in_the_files(compose: Any, settings_file: Mapping[str, str]) -> None:
    values = dict(settings_file)
    for service in compose["services"].values():
        values |= service.get("environment", {})
    secret = {
        key for key in values if re.search(r"PASSWORD|TOKEN|SECRET|CREDENTIALS|DATABASE_URL|KEY", key)
    }
    assert secret
    assert all(values[key].startswith("/run/secrets/") for key in secret)
    assert not any("://" in word and "@" in word for word in str(compose).split())
    assert all(entry["file"].startswith("deploy/secrets/") for entry in compose["secrets"].values())
    assert "/secrets/" in (ROOT / "deploy" / ".gitignore").read_text().splitlines()


def test_every_secret_of_the_settings_is_mounted(compose: Any, settings_file: Mapping[str, str]) -> None:
    named = {Path(value).name for value in settings_file.values() if value.startswith("/run/secrets/")}
    for name in ROLES | {"migrate"}:
        assert set(compose["services"][name]["secrets"]) == named
        assert compose["services"][name]["env_file"] == "deploy/broadcaster.env"


def here(settings_file: Mapping[str, str], secrets: Path) -> dict[str, str]:
    """The settings, with the secrets where they are on this machine."""
    return {
        key: value.replace("/run/secrets/fcm_credentials", f"{secrets}/fcm_credentials.json").replace(
            "/run/secrets", str(secrets)
        )
        for key, value in settings_file.items()
    }


def test_no_key_of_production_lies_where_a_restart_forgets_it(
    compose: Any, settings_file: Mapping[str, str]
) -> None:
    settings = Settings.from_env(
        {key: value for key, value in settings_file.items() if not key.endswith("_FILE")}
    )
    forgotten = {entry.partition(":")[0] for entry in compose["x-role"]["tmpfs"]}
    keys = [one.path for one in (*key_files.wanted(settings), *key_files.own(settings))]
    for path in [*keys, settings.checkpoints_path]:
        assert not forgotten & {str(folder) for folder in path.parents}, path
    assert all(path.parent == Path("/run/secrets") for path in keys)
    kept = {name for name in ROLES | {"migrate"} if compose["services"][name].get("volumes")}
    assert kept == {"migrate", "web", "follow"}, "who signs checkpoints keeps them"
    for name in kept:
        mounted = compose["services"][name]["volumes"][0]
        assert mounted == f"checkpoints:{settings.checkpoints_path.parent}"
    assert "checkpoints" in compose["volumes"]
    assert str(settings.checkpoints_path.parent) in (ROOT / "Dockerfile").read_text()


def test_the_keys_that_are_made_are_ones_that_production_runs_with(
    secrets: Path, settings_file: Mapping[str, str]
) -> None:
    for path in secrets.iterdir():
        path.chmod(0o400)  # Here they are no container's.
    settings = Settings.from_env(here(settings_file, secrets))
    key_files.check(settings)
    feed = key_files.feed_key(settings)
    assert feed.key_id == key_files.feed_key(settings).key_id
    assert load_key(settings.checkpoint_key_path) != feed.private
    assert settings.vapid_key is not None
    assert len(public_key(settings.vapid_key)) == 87


def test_the_settings_are_ones_that_we_know(secrets: Path, settings_file: Mapping[str, str]) -> None:
    made = here(settings_file, secrets)
    assert {key.removeprefix("BROADCASTER_").removesuffix("_FILE").lower() for key in made} <= set(
        Settings.model_fields
    )
    settings = Settings.from_env(made)
    assert settings.database_url is not None
    assert settings.nats_token is not None
    assert settings.nats_token.get_secret_value() == (secrets / "nats_token").read_text().strip()
    assert settings.database_url.get_secret_value().endswith("@postgres:5432/broadcaster")


def test_secrets_are_made_once_in_a_closed_folder(secrets: Path, compose: Any) -> None:
    wanted = {Path(entry["file"]).name for entry in compose["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == wanted
    assert secrets.stat().st_mode & 0o777 == 0o700
    before = {path: path.read_text() for path in secrets.iterdir()}
    again = subprocess.run(
        [ROOT / "deploy" / "make-secrets", secrets], check=True, capture_output=True, text=True
    )
    assert {path: path.read_text() for path in secrets.iterdir()} == before
    assert "made" not in again.stdout
    assert not any(len(text) > 40 and text.strip() in again.stdout for text in before.values())


def test_the_image_is_built_from_what_it_needs() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--constraint constraints.txt" in dockerfile
    assert dockerfile.rindex("USER 10001") > dockerfile.rindex("FROM ")
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {
        "broadcaster",
        "channels",
        "projections",
        "schemas",
        "pyproject.toml",
        "constraints.txt",
    } <= kept
    assert not any(path.startswith("deploy/secrets") for path in kept)


def test_every_dependency_has_its_version() -> None:
    lines = [
        line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==\S+", line) for line in lines)
    assert {"psycopg", "nats-py", "fastapi", "eventsourcing"} <= {line.split("==")[0] for line in lines}


def test_a_role_is_well_while_it_holds_its_connection(nats: NatsServer) -> None:
    def connected() -> int:
        return subprocess.run([ROOT / "deploy" / "connected", str(nats.port)], check=False).returncode

    assert connected() == 1
    with socket.create_connection(("127.0.0.1", nats.port)) as line:
        line.recv(1)
        assert connected() == 0


async def survive(urls: list[str], token: str, kill_one: Any) -> int:
    """Stores a message in three replicas, loses a server, and answers how many messages are left."""
    config = StreamConfig(name="KEPT", subjects=["kept"], num_replicas=3)
    async with await nats.connect(urls, token=token, error_cb=_quiet) as connection:
        stream = connection.jetstream()
        for _ in range(600):
            try:
                await stream.add_stream(config)
                break
            except (NatsError, TimeoutError):  # until the three have found each other
                await asyncio.sleep(0.1)
        await stream.publish("kept", b"alert", timeout=60)
    kill_one()
    async with await nats.connect(urls, token=token, error_cb=_quiet) as connection:
        stream = connection.jetstream()
        for _ in range(600):
            try:
                return (await stream.stream_info("KEPT")).state.messages
            except (NatsError, TimeoutError):  # until another leads
                await asyncio.sleep(0.1)
    return 0


async def _quiet(_error: Exception) -> None:
    """A server that is gone is the point of the test."""


@pytest.mark.slow
def test_the_three_brokers_find_each_other_and_bear_the_loss_of_one(
    compose: Any, secrets: Path, tmp_path: Path
) -> None:
    clients = {name: own_port() for name in sorted(BROKERS)}
    routes = {name: own_port() for name in sorted(BROKERS)}
    secret = (secrets / "nats_secrets.conf").read_text()
    for name, port in routes.items():
        secret = secret.replace(f"@{name}:6222", f"@127.0.0.1:{port}")
    with ExitStack() as stack:
        servers: dict[str, subprocess.Popen[bytes]] = {}
        for name in sorted(BROKERS):
            folder = tmp_path / name
            folder.mkdir()
            config = (ROOT / "deploy" / "nats" / "nats.conf").read_text()
            for before, after in (
                ("0.0.0.0:4222", f"127.0.0.1:{clients[name]}"),
                ("0.0.0.0:6222", f"127.0.0.1:{routes[name]}"),
                ("127.0.0.1:8222", f"127.0.0.1:{own_port()}"),
                ('"/data"', f'"{folder / "data"}"'),
            ):
                assert before in config
                config = config.replace(before, after)
            (folder / "nats.conf").write_text(config)
            (folder / "secrets.conf").write_text(secret)
            command = [
                word.replace("/etc/nats", str(folder)) for word in compose["services"][name]["command"][1:]
            ]
            servers[name] = spawn(
                [str(find_binary()), *command],
                cwd=folder,
                env={},
                log=folder / "log",
                death=signal.SIGTERM,
            )
            stack.callback(end, servers[name], (signal.SIGTERM, 5.0))
        for port in clients.values():
            until(lambda port=port: listens(port))
        urls = [f"nats://127.0.0.1:{port}" for port in clients.values()]
        token = (secrets / "nats_token").read_text().strip()
        assert asyncio.run(survive(urls, token, lambda: end(servers["nats-1"]))) == 1


def listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
