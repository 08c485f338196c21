"""Every operation of the OpenAPI document, with whatever its schema allows and much that it does not."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from schemas.events import AttemptRefused
from tests.unit.broadcaster.web.town import BASE, Town

WHO = ("lan", "minh", "hoa", "tuan", "city-author", "city-approver", "kiem", None)
NO_MATTER = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
EACH = 2
"""Times that each operation is asked in each mode."""
FAILED, FAULT = 400, 500
"""Statuses from there on."""


def operations(town: Town) -> list[Any]:
    document = schemathesis.openapi.from_dict(town.client().get("/openapi.json").json())
    results = document.get_all_operations()
    found = [result.ok() for result in results if isinstance(result, Ok)]
    return sorted(found, key=lambda operation: operation.label)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_operation_fails_or_does_half(town: Town, mode: GenerationMode) -> None:
    alert_id = town.issue()
    known = operations(town)
    assert len(known) > 40
    statuses: Counter[int] = Counter()
    for operation in known:
        try:
            _asked(town, operation, mode, alert_id, statuses)
        except Unsatisfiable:
            # What takes nothing but headers cannot be asked wrongly.
            assert mode is GenerationMode.NEGATIVE
            assert not [*operation.body, *operation.query, *operation.path_parameters], operation.label
    # Of what the schema allows, some was done; of what it does not, much was refused for its form.
    assert statuses[200] if mode is GenerationMode.POSITIVE else statuses[422]
    town.catch_up()
    assert all(one.stopped_at is None for one in town.standings())


def _asked(town: Town, operation: Any, mode: GenerationMode, alert_id: str, statuses: Counter[int]) -> None:
    """Asks one operation a few times: none is left to chance."""

    @settings(
        max_examples=EACH,
        deadline=None,
        suppress_health_check=NO_MATTER,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode), label="case")
        if "alert_id" in (case.path_parameters or {}) and data.draw(st.booleans()):
            case.path_parameters["alert_id"] = alert_id
        who = data.draw(st.sampled_from(WHO), label="who")
        head = town.log.head()
        method, url, sent = _request(case)
        answer = town.client(who)(method, url, **sent)
        statuses[answer.status_code] += 1
        assert answer.status_code < FAULT, (operation.label, answer.text)
        if answer.status_code >= FAILED:
            assert answer.headers["content-type"] == "application/problem+json"
            new = [each.event for each in town.log.read(head, 100)]
            assert all(isinstance(event, AttemptRefused) for event in new), new

    ask()


def _request(case: Any) -> tuple[str, str, dict[str, Any]]:
    """As our client wants it: whose key goes with it is our own choice."""
    sent = case.as_transport_kwargs(base_url=BASE)
    body = {"content": sent["data"]} if "data" in sent else {"json": sent.get("json")}
    headers = {name: value for name, value in sent["headers"].items() if name.lower() != "authorization"}
    return sent["method"], sent["url"], {**body, "params": sent.get("params"), "headers": headers}
