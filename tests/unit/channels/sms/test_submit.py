from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from channels.sms.submit import client_id, concatenation_reference, msisdn, validity
from tests.unit.channels.sms.carriers import alert


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("+84912345678", "84912345678"),
        ("84912345678", "84912345678"),
        ("0912345678", "84912345678"),
        ("+15551234567", "15551234567"),
        ("+0912345678", None),
        ("1022", None),
        ("++84912345678", None),
        ("84912345678\n", None),
        ("٨٤٩١٢٣٤٥٦٧٨", None),
    ],
)
def test_numbers(address: str, number: str | None) -> None:
    assert msisdn(address, "84") == number


def test_a_client_id_names_one_message_to_one_number() -> None:
    first, second = alert(), alert()
    ids = {client_id(message, number) for message in (first, second) for number in ("84912", "84913")}
    assert len(ids) == 4
    assert client_id(first, "84912") == client_id(replace(first), "84912")
    assert client_id(first, "84912").startswith(f"{first.alert_id}/1/")
    # The digest of a number is another in another alert.
    assert client_id(first, "84912").split("/")[2] != client_id(second, "84912").split("/")[2]


def test_versions_are_joined_by_different_references() -> None:
    references = {concatenation_reference(replace(alert(), version=version)) for version in range(1, 60)}
    assert len(references) > 20
    assert all(0 <= reference <= 255 for reference in references)


def test_validity_is_in_utc() -> None:
    hanoi = timezone(timedelta(hours=7))
    message = replace(alert(), expires_at=datetime(2026, 7, 11, 1, 30, 5, tzinfo=hanoi))
    assert validity(message) == "260710183005000+"
