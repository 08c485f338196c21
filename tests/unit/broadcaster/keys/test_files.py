"""Keys that every process shares: made by a trial house, refused where production lacks one."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.engines.datafolder import others_may_read
from broadcaster.keys import files as key_files
from broadcaster.proof.checkpoint import CheckpointError, load_key, make_key
from broadcaster.service import Service
from broadcaster.settings import Settings, SettingsError

REAL = {
    "BROADCASTER_PROVIDERS": "real",
    "BROADCASTER_FCM_CREDENTIALS": "/nowhere/fcm.json",
    "BROADCASTER_SMPP_HOST": "smsc.invalid",
    "BROADCASTER_DATABASE_URL": "postgresql://127.0.0.1:1/none",
    "BROADCASTER_NATS_URL": "nats://127.0.0.1:1",
}


def house(folder: Path, **more: str) -> Settings:
    return Settings.from_env(REAL | {"BROADCASTER_DATA": str(folder)} | more)


def test_production_names_every_key_that_is_missing_and_makes_none(tmp_path: Path) -> None:
    settings = house(tmp_path, BROADCASTER_CHECKPOINT_KEY=str(tmp_path / "elsewhere" / "cp.key"))
    with pytest.raises(SettingsError) as refused:
        key_files.check(settings)
    for name in ("ACCOUNTS_KEY", "FEED_KEY", "CHECKPOINT_KEY"):
        assert f"BROADCASTER_{name}: " in str(refused.value)
    assert "\n" not in str(refused.value)
    for reads in (key_files.accounts_key, key_files.feed_key):
        with pytest.raises(SettingsError):
            reads(settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["migrate"], ["serve"], ["serve", "--role", "web"]], ids=" ".join)
def test_production_without_keys_does_not_start(command: list[str], tmp_path: Path) -> None:
    env = os.environ | REAL | {"BROADCASTER_DATA": str(tmp_path), "NO_PROXY": "*"}
    ended = subprocess.run(
        [sys.executable, "-m", "broadcaster", *command],
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert "BROADCASTER_FEED_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("*.key"))


def test_a_whole_service_is_refused_before_any_engine_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BROADCASTER_ACCOUNTS_KEY"), Service(house(tmp_path)):
        pass


def test_keys_are_made_once_and_production_runs_with_them(tmp_path: Path) -> None:
    settings = house(tmp_path)
    made = key_files.make(settings)
    assert {one.setting for one in made} == {"ACCOUNTS_KEY", "FEED_KEY", "CHECKPOINT_KEY"}
    key_files.check(settings)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert key_files.make(settings) == []
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not any(others_may_read(path) for path in before)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "is empty"), ("not base64!", "is not base64"), (base64.b64encode(b"short").decode(), "5 bytes")],
)
def test_a_key_that_is_none_is_refused_before_it_is_needed(tmp_path: Path, text: str, fault: str) -> None:
    settings = house(tmp_path)
    key_files.make(settings)
    settings.accounts_key_path.write_text(text)
    with pytest.raises(SettingsError, match=fault):
        key_files.check(settings)


def test_a_trial_house_makes_its_own(tmp_path: Path) -> None:
    trial = Settings.from_env({"BROADCASTER_DATA": str(tmp_path)})
    key_files.check(trial)
    assert key_files.accounts_key(trial) == key_files.accounts_key(trial)
    assert key_files.feed_key(trial).key_id == key_files.feed_key(trial).key_id


def test_a_mounted_secret_may_have_the_mode_of_the_hosts_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "feed_key"
    key = make_key(path)
    path.chmod(0o444)
    with pytest.raises(CheckpointError, match="may be read by others"):
        load_key(path)
    mounted = load_key(path, tmp_path / "secrets")
    assert mounted.private_bytes_raw() == key.private_bytes_raw()
    assert others_may_read(path, tmp_path / "secret"), "a name that begins alike is another folder"
