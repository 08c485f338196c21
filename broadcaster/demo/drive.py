"""The 25 samples through draft, submit, approve, issue, over HTTP, by the accounts of their bodies."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from broadcaster import reference
from broadcaster.demo.stage import Props
from broadcaster.reference import SampleAlert

PATIENCE = 60.0
"""Seconds a house may be away before the demo gives up."""
RETRY_EVERY = 0.2
STEPS = (("submit", "author"), ("approve", "approver"), ("issue", "author"))


class DemoError(Exception):
    """The demo could not go on; the text says where."""


def issue_samples(url: str, props: Props, done: Callable[[SampleAlert], None]) -> list[str]:
    """Issues every sample and answers the alerts' ids.

    Each request carries a key of its own, so a second start gets the first one's answers.
    """
    ids: list[str] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for sample in reference.sample_alerts():
            keys = props.keys[sample.issuer_id]
            draft = {
                "issuer": sample.issuer_id,
                "content": sample.content().model_dump(mode="json", exclude_none=True),
            }
            alert = post(client, "/v1/alerts", keys["author"], f"{sample.id}-draft", draft)
            ids.append(alert["id"])
            for step, role in STEPS:
                path, once = f"/v1/alerts/{alert['id']}/{step}", f"{sample.id}-{step}"
                alert = post(client, path, keys[role], once, {}, seen=alert["version"])
            done(sample)
    return ids


def post(
    client: httpx.Client, path: str, key: str, once: str, body: dict[str, Any], *, seen: int | None = None
) -> dict[str, Any]:
    """A write. Its key makes a repeat safe, so it is repeated while the house is coming back.

    `seen` is the version that the writer read. Raises DemoError with the problem's own words.
    """
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"demo-{once}"}
    if seen is not None:
        headers["If-Match"] = f'"{seen}"'
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = client.post(path, json=body, headers=headers)
        except httpx.TransportError as error:
            trouble = type(error).__name__
        else:
            if not answer.is_server_error:
                break
            trouble = str(answer.status_code)
        if time.monotonic() > deadline:
            raise DemoError(f"POST {path}: {trouble} for {PATIENCE:.0f} s")
        time.sleep(RETRY_EVERY)
    if answer.is_error:
        raise DemoError(f"POST {path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
