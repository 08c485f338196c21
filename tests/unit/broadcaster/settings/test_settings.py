"""Settings come from the environment, and say what is wrong by name."""

from pathlib import Path

import pytest

from broadcaster.service import environment
from broadcaster.settings import Settings, SettingsError


def test_defaults_need_nothing() -> None:
    settings = Settings.from_env({})
    assert settings.database_url is None
    assert settings.providers == "sandbox"
    assert settings.url == "http://127.0.0.1:8600"


def test_a_secret_may_come_by_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:hush@db/x\n")
    settings = Settings.from_env({"BROADCASTER_DATABASE_URL_FILE": str(tmp_path / "url")})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:hush@db/x"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"BROADCASTER_NATS_REPLICAS": "9"}, "BROADCASTER_NATS_REPLICAS"),
        ({"BROADCASTER_LISTEN": "here"}, "BROADCASTER_LISTEN"),
        ({"BROADCASTER_PROVIDERS": "real"}, "fcm_credentials is required"),
        ({"BROADCASTER_PROVIDERS": "real", "BROADCASTER_FCM_CREDENTIALS": "x"}, "smpp_host is required"),
        ({"BROADCASTER_PUSH_QUOTA": "6000"}, "push_quota: beside push_reserve, at least 6000 a minute"),
        ({"BROADCASTER_WEB_PUSH_QUOTA": "60"}, "web_push_quota"),
        ({"BROADCASTER_DATABASE_URL_FILE": "/nowhere/at/all"}, "BROADCASTER_DATABASE_URL_FILE"),
    ],
)
def test_what_is_wrong_is_named(env: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        Settings.from_env(env)
    assert len(str(error.value).splitlines()) == 1


def test_a_child_reads_back_what_its_parent_had(tmp_path: Path) -> None:
    given = Settings.from_env(
        {
            "BROADCASTER_DATA": str(tmp_path),
            "BROADCASTER_DATABASE_URL": "postgresql:///x",
            "BROADCASTER_NATS_TOKEN": "t" * 20,
            "BROADCASTER_SMS_ACCENTED": "true",
            "BROADCASTER_PUSH_RATE": "123.5",
        }
    )
    assert Settings.from_env(environment(given)) == given


REAL = {
    "BROADCASTER_PROVIDERS": "real",
    "BROADCASTER_FCM_CREDENTIALS": "x",
    "BROADCASTER_SMPP_HOST": "carrier",
}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("exempt", ["", "googleapis.example", "fcm.googleapis.com", "apis.com"])
def test_a_proxy_that_push_would_pass_by_is_refused(name: str, exempt: str) -> None:
    env = REAL | {name: "http://u:hush@proxy:3128", "NO_PROXY": exempt}
    with pytest.raises(SettingsError, match=name) as error:
        Settings.from_env(env)
    assert "oauth2.googleapis.com" in str(error.value)
    assert "hush" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "exempt", ["*", "googleapis.com", "x, .googleapis.com", "fcm.googleapis.com:443,oauth2.googleapis.com"]
)
def test_a_proxy_that_is_not_on_the_way_to_push_is_none_of_our_business(exempt: str) -> None:
    assert Settings.from_env(REAL | {"HTTPS_PROXY": "http://proxy", "no_proxy": exempt}).providers == "real"
    assert Settings.from_env({"HTTPS_PROXY": "http://proxy"}).providers == "sandbox"
    assert Settings.from_env(REAL | {"HTTP_PROXY": "http://proxy"}).providers == "real"
