"""What pictures need that no page of the story brings about: ended, given up, left out, handed on."""

import re

from playwright.sync_api import Page

from broadcaster.runtime import SYSTEM, clock
from projections.fanout import plan
from schemas.content import Certainty, Channel, Content, Kind, Severity, Text, Urgency
from schemas.dispatch import Outcome, Receipt
from schemas.events import Actor, AudienceFrozen, ReceiptRecorded
from tests.site import PHUC_XA, Site


def withdrawn(hanoi: Site) -> str:
    """The public page of an alert that went out and was taken back."""
    content = Content(
        kind=Kind.ALERT,
        category="cay_xanh",
        severity=Severity.MODERATE,
        urgency=Urgency.EXPECTED,
        certainty=Certainty.LIKELY,
        texts={
            "vi": Text(
                headline="Cây lớn nghiêng trên đường Hồng Hà",
                description="Cây nghiêng ra lòng đường, đang chờ xử lý.",
                instruction="Đi vòng qua đường Phúc Xá.",
            )
        },
        areas=("00001",),
    )
    lan, minh = Actor(account="lan", body=PHUC_XA), Actor(account="minh", body=PHUC_XA)
    alerts = hanoi.house.alerts
    alert_id = alerts.draft(lan, PHUC_XA, content, at=clock()).id
    alerts.submit(lan, alert_id, at=clock())
    alerts.approve(minh, alert_id, at=clock())
    alerts.issue(lan, alert_id, at=clock())
    alerts.cancel(minh, alert_id, "Đã dựng lại cây, đường thông.", in_error=False, at=clock())
    hanoi.follow()
    return f"/alerts/{alert_id}"


def give_up(hanoi: Site) -> None:
    """Three of those whom the first alert is for could not be reached."""
    log = hanoi.house.log
    told = (each.event for each in log.everything())
    frozen = next(
        each for each in told if isinstance(each, AudienceFrozen) and each.channel is Channel.PUSH
    )
    dispatch = next(iter(plan.slices(frozen)))
    counts = {Outcome.ACCEPTED: dispatch.size - 3, Outcome.DEAD: 3}
    receipt = Receipt(
        dispatch=dispatch,
        counts=counts,
        reasons={"UNAVAILABLE": 3},
        dead=dispatch.ranks[:3],
        provider="fcm",
    )
    ended = ReceiptRecorded(originator_id=dispatch.id, originator_version=1, by=SYSTEM, receipt=receipt)
    log.append([ended], at=clock())
    hanoi.follow()


def letter_of(page: Page) -> str:
    """The page of the first dead letter in the list that is open."""
    return page.locator("a[href^='/console/dead-letters/']").first.get_attribute("href") or ""


def leave_out(page: Page) -> None:
    """The first screen that is offered is left out."""
    page.locator(".picks input").last.check()
    page.get_by_label("Lý do").fill("Màn hình ở trong nhà, chỉ dành cho lễ cưới.")
    page.get_by_role("button", name="Loại trừ", exact=True).click()
    page.get_by_role("heading", name="Đang loại trừ").wait_for()


def delegate(page: Page) -> None:
    """A ward lets the one beside it speak of floods."""
    page.goto(f"/console/bodies/{PHUC_XA}")
    page.get_by_label("Cho cơ quan", exact=True).select_option(index=1)
    page.get_by_label("Ngập úng đô thị").check()
    page.get_by_label("Các nơi, mỗi dòng một tên").fill("Phường Phúc Xá")
    page.get_by_label(re.compile("^Kết thúc")).fill("2027-06-01T08:00")
    page.get_by_role("button", name="Giao quyền", exact=True).click()
    page.get_by_text("đang có hiệu lực").wait_for()


def choose(page: Page) -> None:
    """One ward of those that have an alert is mine."""
    page.goto("/my/areas")
    page.get_by_text("Quận Ba Đình").click()
    page.get_by_label("Phường Phúc Xá").check()
    page.get_by_role("button", name="Lưu").click()
    page.wait_for_url("**/my")
