"""Files of alerts: kept by their digest, public only once an issued alert names them."""

import hashlib
from typing import Any

import httpx
import pytest
from lxml import etree

from broadcaster.office.attachments import BEGINNINGS
from broadcaster.web.guard import MAX_BODY, MAX_FILE
from tests.unit.broadcaster.web.town import BASE, Town

PNG = BEGINNINGS["image/png"] + b"a map of the flood"
DIGEST = hashlib.sha256(PNG).hexdigest()


def upload(
    town: Town, data: bytes = PNG, media_type: str = "image/png", account: str | None = "lan"
) -> httpx.Response:
    headers = {"Content-Type": media_type}
    return town.client(account)("POST", "/v1/attachments", content=data, headers=headers)


def named(**changes: Any) -> dict[str, Any]:
    file = {"sha256": DIGEST, "description": "Bản đồ ngập", "media_type": "image/png", "size": len(PNG)}
    return {"attachments": [file | changes]}


def test_from_upload_to_the_public(town: Town) -> None:
    kept = upload(town)
    assert (kept.status_code, kept.json()) == (
        201,
        {
            "sha256": DIGEST,
            "media_type": "image/png",
            "size": len(PNG),
            "url": f"{BASE}/attachments/{DIGEST}",
        },
    )
    assert upload(town, account="city-author").json() == kept.json()  # the same bytes are the same file
    drafted = town.draft(**named())
    assert drafted.status_code == 201, drafted.text
    alert = drafted.json()["id"]

    public, open_path = town.client(), f"/attachments/{DIGEST}"
    assert public.get(open_path).status_code == 404
    assert public.get(f"/v1{open_path}").status_code == 404
    inside = town.client("minh").get(f"/v1{open_path}")  # the approver sees what he approves
    assert (inside.content, inside.headers["cache-control"]) == (PNG, "private, no-store")

    town.send_out(alert)
    town.catch_up()
    for path in (open_path, f"/v1{open_path}"):
        told = public.get(path)
        assert (told.status_code, told.content) == (200, PNG)
        assert told.headers["content-type"] == "image/png"
        assert told.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert told.headers["content-disposition"] == f'inline; filename="{DIGEST[:16]}.png"'
        assert told.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in told.headers["content-security-policy"]
        assert public.get(path, If_None_Match=told.headers["etag"]).status_code == 304

    # What was public stays so: the alert's message, for ever, names it.
    town.client("lan").post(f"/v1/alerts/{alert}/cancel", {"reason": "Nước rút"}).raise_for_status()
    town.catch_up()
    assert public.get(open_path).content == PNG

    root = etree.fromstring(public.get(f"/v1/alerts/{alert}.cap?version=1").content)
    resource = root.find(".//{*}resource")
    assert resource is not None
    assert [child.text for child in resource] == [
        "Bản đồ ngập",
        "image/png",
        str(len(PNG)),
        f"{BASE}/attachments/{DIGEST}",
        hashlib.sha1(PNG).hexdigest(),
    ]
    page = public.get(f"/alerts/{alert}").text
    assert f'href="/attachments/{DIGEST}"' in page
    assert '<a href="tel:1022">1022</a> nhánh 8' in page


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"<svg/>", "image/svg+xml", 415),
        (b"{}", "application/json", 415),
        (b"<html>", "image/png", 422),
        (BEGINNINGS["image/jpeg"], "image/png", 422),
        (b"", "image/png", 422),
        (PNG + bytes(MAX_FILE), "image/png", 413),
    ],
)
def test_what_is_not_taken(town: Town, data: bytes, media_type: str, status: int) -> None:
    assert upload(town, data, media_type).status_code == status
    assert town.client("lan").get(f"/v1/attachments/{hashlib.sha256(data).hexdigest()}").status_code == 404


def test_who_may_bring_one_and_how_much(town: Town) -> None:
    assert upload(town, account=None).status_code == 401
    assert (
        upload(town, PNG + bytes(MAX_BODY), account=None).status_code == 413
    )  # without a key not even read
    large = upload(town, PNG + bytes(MAX_BODY))
    assert (large.status_code, large.json()["size"]) == (201, len(PNG) + MAX_BODY)
    refused = upload(town, account="minh")
    assert (refused.status_code, refused.json()["rule"]) == (403, "role.missing")
    assert [one.command for one in town.refusals()] == ["keep file"]
    assert town.client().get("/attachments/nonsense").status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sha256": "0" * 64}, "attachments.0.sha256"),
        ({"media_type": "application/pdf"}, "attachments.0.media_type"),
        ({"size": 1}, "attachments.0.size"),
    ],
)
def test_a_content_names_only_what_is_kept(town: Town, changes: dict[str, Any], field: str) -> None:
    upload(town).raise_for_status()
    answer = town.draft(**named(**changes))
    assert (answer.status_code, answer.json()["rule"]) == (422, "content.limit")
    assert answer.json()["detail"].startswith(f"{field}: ")


def test_the_page_tells_it_in_every_language(town: Town) -> None:
    korean = {"headline": "깊은 <침수>", "description": "물이 차오릅니다."}
    texts = {"vi": {"headline": "Ngập sâu", "description": "Nước lên."}, "ko": korean}
    alert = town.issue(texts=texts, contact="024 3825 3536", web="https://hanoi.gov.vn/ngap?a=1&b=2")
    page = town.client().get(f"/alerts/{alert}").text
    assert '<details lang="ko">' in page
    assert "<summary>한국어</summary>" in page
    assert "깊은 &lt;침수&gt;" in page
    assert "024 3825 3536" in page
    assert 'href="https://hanoi.gov.vn/ngap?a=1&amp;b=2"' in page
