"""Several carriers by one setting, and a gateway over them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from broadcaster.providers.sms import gateway
from broadcaster.service import environment
from broadcaster.settings import Settings, SettingsError
from broadcaster.settings.sms_carriers import read_providers, tariffs_of
from channels.sms import SmsPool
from channels.sms.brand import BrandClass
from channels.sms.sandbox import SmscSandbox, SmtpSandbox
from schemas.dispatch import Outcome
from tests.unit.channels.sms.carriers import AT, alert, someone

ONE: dict[str, Any] = {
    "name": "viettel",
    "host": "smsc.example",
    "port": 2775,
    "system_id": "hanoi",
    "password": "hush-hush",
    "price": 310,
}
MAIL: dict[str, Any] = {
    "name": "relay",
    "protocol": "email",
    "host": "mx.example",
    "port": 25,
    "domain": "sms.example",
    "sender": "canhbao@hanoi.example",
    "accented": True,
    "price": 500,
    "brand_class": "care",
}


def setting(*providers: dict[str, Any], **given: object) -> Settings:
    return Settings.from_env({"BROADCASTER_SMS_PROVIDERS": json.dumps(providers)}, **given)


def test_they_are_read_and_never_shown() -> None:
    settings = setting(ONE, MAIL)
    assert "hush" not in repr(settings)
    child = Settings.from_env(environment(settings))
    assert child.sms_providers == settings.sms_providers
    one, mail = read_providers(settings.sms_providers.get_secret_value())
    assert (one.weight, one.rules.kind, mail.rules.kind) == (1.0, BrandClass.GOVERNMENT, BrandClass.CARE)
    tariffs = tariffs_of(settings.sms_providers, 1, accented=False)
    assert [(tariff.price, tariff.accented) for tariff in tariffs] == [(310, False), (500, True)]
    assert tariffs_of(Settings.from_env({}).sms_providers, 7, accented=True)[0][:2] == (7, True)


@pytest.mark.parametrize(
    ("providers", "words"),
    [
        ([ONE | {"weight": 0}], "0.weight"),
        ([ONE, ONE], "a name of its own"),
        ([ONE | {"system_id": ""}], "system_id"),
        ([MAIL | {"domain": ""}], "domain, sender"),
        ([ONE | {"brand": "Hà Nội"}], "0.brand"),
        ([ONE | {"hush-hush": 1}], "Extra inputs"),
        ("no list", "sms_providers"),
    ],
)
def test_what_is_wrong_is_named_and_no_password_quoted(providers: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        Settings.from_env({"BROADCASTER_SMS_PROVIDERS": json.dumps(providers)})
    assert len(str(error.value).splitlines()) == 1
    assert "hush-hush'" not in str(error.value)


def test_the_gateway_sends_through_all_of_them(tmp_path: Path, city_database: str) -> None:
    async def scenario(settings: Settings) -> list[tuple[Outcome, str, int]]:
        with ConnectionPool[Any](city_database, min_size=1, open=True) as connections:
            async with gateway(settings, lambda: AT, connections) as carriers:
                assert isinstance(carriers, SmsPool)
                message, people = alert(), [someone() for _ in range(40)]
                return [
                    (result.outcome, result.via, result.cost)
                    for window in carriers.route(message, people)
                    for result in await carriers.send(message, window)
                ]

    with SmscSandbox(tmp_path / "smsc") as smsc, SmtpSandbox(tmp_path / "smtp") as smtp:
        places = [
            provided
            | {
                "host": double.endpoint.host,
                "port": double.endpoint.port,
                "system_id": double.endpoint.system_id,
                "password": double.endpoint.password,
            }
            for provided, double in ((ONE, smsc), (MAIL, smtp))
        ]
        results = asyncio.run(scenario(setting(*places)))
        assert (smsc.count().received, smtp.count().received) == (20, 20)
    assert set(results) == {(Outcome.ACCEPTED, "viettel", 310), (Outcome.ACCEPTED, "relay", 500)}
