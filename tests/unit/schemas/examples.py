"""One full example of each event, for the golden files and for other tests."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from schemas.areas import Area
from schemas.cadence import Basis, CadencePolicy, Owes, Reading
from schemas.content import (
    Certainty,
    Channel,
    Content,
    Kind,
    Lane,
    MsgType,
    Severity,
    Text,
    Urgency,
)
from schemas.dispatch import Dispatch, Fate, Outcome, Receipt
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessLapsed,
    AccessRefused,
    Actor,
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertScreensExcluded,
    AlertScreensReadmitted,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
    AreaBoundariesLoaded,
    AreaBoundariesRemoved,
    AreaRegisterAdopted,
    AreaSetRetired,
    AreaSetSaved,
    AttemptRefused,
    AudienceFrozen,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    CanaryLate,
    CanarySent,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    DelegationGranted,
    DelegationRevoked,
    DisplaySetting,
    Event,
    EvidenceExported,
    ExportMade,
    IssuerClosed,
    IssuerContact,
    IssuerContactsSet,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
    KeyRevoked,
    Notice,
    PushRouteChosen,
    PushTopicsHalted,
    ReceiptRecorded,
    ReminderDue,
    ReminderSent,
    RoleGranted,
    RoleRevoked,
    ScreenCameOnline,
    ScreenDescribed,
    ScreenDisplaySet,
    ScreenGroupChanged,
    ScreenGroupDisplaySet,
    ScreenGroupMade,
    ScreenGroupRetired,
    ScreenIdentifyAsked,
    ScreenKeyRevoked,
    ScreenKeyRotated,
    ScreenKind,
    ScreenMoved,
    ScreenPatternAsked,
    ScreenRegistered,
    ScreenRemoved,
    ScreenRepaired,
    ScreenShowed,
    ScreenWentOffline,
    Shown,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
    SmsDelivered,
    SubscribersImported,
    TemplateApproved,
    TemplateRetired,
    TemplateSaved,
    TestersChanged,
)
from schemas.ids import audience_id, dispatch_id
from schemas.template import TemplateBody, TemplateField, TemplateText

AT = datetime(2026, 7, 10, 2, 0, 0, 250, tzinfo=UTC)
END = datetime(2026, 7, 11, 2, 0, tzinfo=UTC)
ALERT = UUID("7d3f0c1e-0000-4000-8000-000000000001")
SCREEN = UUID("7d3f0c1e-0000-4000-8000-000000000002")
GROUP = UUID(int=9)
DIMMED = DisplaySetting(brightness=40, quiet_from=time(22), quiet_until=time(5, 30), hides_emergencies=True)
DELEGATION = UUID("7d3f0c1e-0000-4000-8000-000000000003")
TEMPLATE = UUID("7d3f0c1e-0000-4000-8000-000000000004")
AREA_SET = UUID("7d3f0c1e-0000-4000-8000-000000000005")
EXEMPTION = UUID("7d3f0c1e-0000-4000-8000-000000000006")
BY = Actor(account="lan", body="ubnd-00001")
CONTENT = Content(
    kind=Kind.ALERT,
    category="ngap_ung",
    severity=Severity.SEVERE,
    urgency=Urgency.EXPECTED,
    certainty=Certainty.LIKELY,
    risk_level=2,
    texts={
        "vi": Text(
            headline="Ngập sâu tại Phúc Xá",
            description='Nước lên nhanh; "không" lội qua.\nGọi 114.',
            instruction="Đưa xe lên chỗ cao.",
            sign_text="Ngập sâu Phúc Xá",
            sms_text="Ngap sau tai Phuc Xa",
        ),
        "en": Text(headline="Deep flooding in Phúc Xá", description="Water is rising fast."),
    },
    areas=("00001", "00004"),
    expires_at=END,
    channels=(Channel.PUSH, Channel.SMS, Channel.LED),
)
TEMPLATE_BODY = TemplateBody(
    kind=Kind.ALERT,
    category="ngap_ung",
    severity=Severity.MODERATE,
    urgency=Urgency.EXPECTED,
    certainty=Certainty.OBSERVED,
    risk_level=1,
    fields=(TemplateField(name="noi", label="Nơi ngập", example="phố Phúc Xá", longest=60),),
    texts={
        "vi": TemplateText(
            headline="Ngập tại {noi}",
            description="Nước ngập tại {noi}.",
            instruction="Tránh {noi}.",
            sign_text="Ngập {noi}",
            sms_text="Ngap tai {noi}",
        )
    },
    areas=("00001",),
    edition="2020-03-01",
    channels=(Channel.PUSH,),
    lifetime_hours=6,
)
DISPATCH = Dispatch(
    id=dispatch_id(ALERT, 1, Channel.PUSH, 500, 1),
    alert_id=ALERT,
    version=1,
    channel=Channel.PUSH,
    lane=Lane.ALERT,
    audience_id=audience_id(ALERT, 1, Channel.PUSH),
    first=500,
    last=510,
    expires_at=END,
)
REFERENCE = (
    "ubnd-00001@canhbao.hanoi.gov.vn,hn.7d3f0c1e-0000-4000-8000-000000000001.1,2026-07-10T09:00:00+07:00"
)


SMS_ORDER: dict[str, Any] = {
    "issuer_id": "ubnd-00001",
    "alert_id": ALERT,
    "version": 1,
    "day": date(2026, 7, 10),
    "recipients": 510,
    "segments": 1020,
    "vnd": 357_000,
}


def examples() -> tuple[Event, ...]:
    """Every event once, with no optional field left out."""
    alert: dict[str, Any] = {"originator_id": ALERT, "by": BY}
    screen: dict[str, Any] = {"originator_id": SCREEN, "by": BY}
    group: dict[str, Any] = {"originator_id": GROUP, "by": BY}
    other: dict[str, Any] = {
        "originator_id": UUID(int=1),
        "originator_version": 1,
        "by": Actor(account="system:demo"),
    }
    delegation: dict[str, Any] = {
        "originator_id": UUID(int=2),
        "by": Actor(account="hoa", body="ubnd-001"),
        "delegation_id": DELEGATION,
        "grantor": "ubnd-001",
        "grantee": "ubnd-00001",
    }
    issuer: dict[str, Any] = {"originator_id": UUID(int=3), "by": BY, "issuer_id": "ubnd-00001"}
    template: dict[str, Any] = {"originator_id": TEMPLATE, "by": BY, "template_id": TEMPLATE}
    area_set: dict[str, Any] = {"originator_id": AREA_SET, "by": BY, "area_set_id": AREA_SET}
    asked: dict[str, Any] = {
        "originator_id": UUID(int=4),
        "by": Actor(account="hoa", body="ubnd-00001"),
        "wish": "key",
        "account": "tram",
        "body": "ubnd-00001",
        "role": "author",
    }
    message: dict[str, Any] = {
        "issuer_id": "ubnd-00001",
        "sender": "ubnd-00001@canhbao.hanoi.gov.vn",
        "sent": AT.replace(microsecond=0),
    }
    return (
        AreaRegisterAdopted(
            **other,
            edition="2020-03-01",
            effective_on=date(2020, 3, 1),
            areas=(
                Area(code="01", name="Thành phố Hà Nội", kind="thanh_pho", level=1, population=7739700),
                Area(
                    code="001",
                    name="Quận Ba Đình",
                    kind="quan",
                    level=2,
                    parent_code="01",
                    latitude=21.03585,
                    longitude=105.82609,
                ),
            ),
        ),
        IssuerRegistered(
            **other,
            issuer_id="ubnd-00001",
            name="UBND phường Phúc Xá",
            kind="ubnd_xa",
            level=3,
            area="00001",
            fields=("*",),
            parent="ubnd-001",
        ),
        IssuerContactsSet(
            **issuer,
            originator_version=2,
            contacts=(
                IssuerContact(kind="phone", value="024 3825 3536"),
                IssuerContact(kind="email", value="phucxa@hanoi.example"),
            ),
        ),
        IssuerPolicySet(
            **issuer,
            originator_version=3,
            one_person_bulletins=True,
            quiet_from=time(22, 0),
            quiet_until=time(6, 0),
        ),
        IssuerMoved(
            **issuer,
            originator_version=4,
            edition="2025-07-01",
            area="00008",
            level=3,
            name="UBND phường Hồng Hà",
            parent="ubnd-tp",
        ),
        IssuerClosed(**issuer, originator_version=5, successors=("ubnd-00070",), effective_at=END),
        IssuerSucceeded(
            **issuer, originator_version=6, predecessor="ubnd-00004", effective_at=END, fields=("*",)
        ),
        RoleGranted(**other, account="lan", body="ubnd-00001", role="author", key_id="k3f9"),
        RoleRevoked(**other, account="lan", body="ubnd-00001", role="author"),
        DelegationGranted(
            **delegation,
            originator_version=1,
            fields=("ngap_ung", "mua_lon"),
            areas=("00001", "00004"),
            edition="2020-03-01",
            starts_at=AT,
            ends_at=END,
        ),
        DelegationRevoked(**delegation, originator_version=2),
        AlertDrafted(**alert, originator_version=1, issuer_id="ubnd-00001", content=CONTENT),
        AlertRevised(**alert, originator_version=2, version=1, content=CONTENT),
        AlertSubmitted(**alert, originator_version=3, version=1),
        AlertReturned(**alert, originator_version=4, version=1, reason="Thiếu giờ"),
        AlertRejected(**alert, originator_version=5, version=1, reason="Không đúng thẩm quyền"),
        AlertApproved(**alert, originator_version=6, version=1),
        AlertIssued(
            **alert,
            **message,
            originator_version=7,
            version=2,
            msg_type=MsgType.UPDATE,
            identifier=f"hn.{ALERT}.2",
            references=(REFERENCE,),
            content=CONTENT,
            edition="2020-03-01",
            effective_at=AT,
            expires_at=END,
        ),
        AlertUpdateProposed(**alert, originator_version=8, version=3, content=CONTENT),
        AlertPreApproved(
            **alert,
            originator_version=9,
            version=3,
            template_id=TEMPLATE,
            template_version=2,
            approved_by="binh",
        ),
        AlertScheduled(**alert, originator_version=9, version=3, due_at=AT, cause="quiet_hours"),
        AlertUnscheduled(**alert, originator_version=10, version=3),
        AlertCancelled(
            **alert,
            **message,
            originator_version=9,
            version=3,
            identifier=f"hn.{ALERT}.3",
            references=(REFERENCE,),
            reason="Nước đã rút",
            in_error=True,
        ),
        AlertExpired(**alert, originator_version=10, version=2),
        AttemptRefused(
            **other,
            command="draft",
            rule="jurisdiction.area",
            detail="area 00004 lies outside 00001",
            alert_id=ALERT,
            issuer_id="ubnd-00001",
        ),
        AudienceFrozen(
            **other,
            alert_id=ALERT,
            version=1,
            channel=Channel.PUSH,
            lane=Lane.ALERT,
            count=510,
            sha256="9f" * 32,
            bitmap="OjAAAAEAAAAAAAIAEAAAAAEAAgADAA==",
            by_area={"00001": 500, "00004": 10},
            slice_size=500,
            expires_at=END,
        ),
        ReceiptRecorded(
            **other,
            receipt=Receipt(
                dispatch=DISPATCH,
                counts={Outcome.ACCEPTED: 7, Outcome.GONE: 1, Outcome.DEFERRED: 2},
                deferred=(508, 509),
                retry_at=AT,
                unknown=1,
                reasons={"UNAVAILABLE": 2, "UNREGISTERED": 1},
                provider="fcm",
            ),
        ),
        SmsDelivered(
            **other,
            alert_id=ALERT,
            version=1,
            provider="viettel",
            counts={Fate.DELIVERED: 48, Fate.FAILED: 2},
        ),
        SmsBudgetSet(**other, issuer_id="ubnd-00001", segments=20_000, vnd=None),
        SmsBudgetReserved(**other, **SMS_ORDER),
        SmsBudgetExceeded(**other, **SMS_ORDER),
        SmsBudgetStopped(**other, **SMS_ORDER),
        DeadLetterReplayed(
            **other,
            dispatch=DISPATCH.model_copy(update={"areas": (("00001", 4), ("00004", 6))}).replay((501, 509)),
            reason="Nhà mạng đã thông",
        ),
        DeadLetterWrittenOff(
            **other, alert_id=ALERT, version=1, channel=Channel.SMS, count=2, reason="Đã báo qua loa"
        ),
        CanarySent(**other, lane=Lane.EMERGENCY, channels=(Channel.PUSH, Channel.SMS), expires_at=END),
        CanaryLate(**other, lane=Lane.EMERGENCY, channel=Channel.SMS, number=7, sent_at=AT),
        PushRouteChosen(**other, route="topics", reason="Hạn ngạch FCM đã hết"),
        PushTopicsHalted(**other, reason="HTTP_403"),
        SubscribersImported(**other, file_sha256="9f" * 32, accepted=999_990, rejected=10),
        TestersChanged(**other, area="00001", edition="2020-03-01", added=1, removed=0),
        AreaBoundariesLoaded(
            **other,
            edition="2020-03-01",
            areas=579,
            file_sha256="9f" * 32,
            outlines_sha256="a0" * 32,
        ),
        AreaBoundariesRemoved(**other, edition="2020-03-01", outlines_sha256="a0" * 32),
        EvidenceExported(**other, alert_id=ALERT, upto=42, sha256="9f" * 32),
        ExportMade(
            **other,
            what="cadence_report",
            form="csv",
            filters={"from": "2024-07-01T00:00:00Z", "level": "3"},
            upto=42,
            sha256="9f" * 32,
        ),
        TemplateSaved(
            **template,
            originator_version=1,
            issuer_id="ubnd-00001",
            version=1,
            name="Ngập theo giờ",
            purpose="correction",
            body=TEMPLATE_BODY,
        ),
        TemplateApproved(**template, originator_version=2, version=1),
        TemplateRetired(**template, originator_version=3),
        AreaSetSaved(
            **area_set,
            originator_version=1,
            issuer_id="ubnd-00001",
            version=1,
            name="Bãi giữa",
            edition="2020-03-01",
            areas=("00001", "00004"),
        ),
        AreaSetRetired(**area_set, originator_version=2),
        ScreenRegistered(
            **screen,
            originator_version=1,
            screen_id=SCREEN,
            name="Ngã tư Phúc Xá",
            area="00001",
            profile="m96x32-1",
        ),
        ScreenShowed(**screen, originator_version=2, shown=(Shown(alert_id=ALERT, version=1),)),
        ScreenMoved(**screen, originator_version=3, area="00008", edition="2025-07-01"),
        ScreenRemoved(**screen, originator_version=4),
        ScreenRepaired(**screen, originator_version=5),
        ScreenIdentifyAsked(**screen, originator_version=6, until=END),
        ScreenKeyRotated(**screen, originator_version=7, key_id="0a1b", former="0a1a", former_ends_at=END),
        ScreenKeyRevoked(**screen, originator_version=8),
        ScreenWentOffline(**screen, originator_version=1, screen_id=SCREEN, last_seen=AT),
        ScreenCameOnline(**screen, originator_version=2, screen_id=SCREEN, silent_since=AT),
        ScreenRemoved(**screen, originator_version=3),
        ScreenDescribed(
            **screen,
            originator_version=1,
            screen_id=SCREEN,
            kind=ScreenKind.STREET,
            latitude=21.047,
            longitude=105.8478,
        ),
        ScreenDisplaySet(**screen, originator_version=2, screen_id=SCREEN, setting=DIMMED),
        ScreenPatternAsked(**screen, originator_version=3, screen_id=SCREEN, until=END),
        ScreenGroupMade(
            **group, originator_version=1, group_id=GROUP, issuer_id="ubnd-00001", name="Chợ và bến xe"
        ),
        ScreenGroupChanged(
            **group, originator_version=2, group_id=GROUP, added=(SCREEN,), removed=(UUID(int=8),)
        ),
        ScreenGroupDisplaySet(**group, originator_version=3, group_id=GROUP, setting=DIMMED),
        ScreenGroupRetired(**group, originator_version=4, group_id=GROUP),
        AlertScreensExcluded(
            **alert,
            originator_version=1,
            alert_id=ALERT,
            screens=(SCREEN,),
            groups=(GROUP,),
            reason="Đang sửa điện",
        ),
        AlertScreensReadmitted(
            **alert, originator_version=2, alert_id=ALERT, screens=(SCREEN,), groups=(GROUP,)
        ),
        CadencePolicySet(
            **other,
            policy=CadencePolicy(
                reading=Reading.ROLLING,
                interval_days=2,
                owes=(Owes(level=1), Owes(level=3, kinds=("ubnd",), since=AT, basis=Basis.DELEGATED)),
                counts=(Kind.BULLETIN,),
                parent_counts=True,
            ),
            effective_at=END,
            reason="Thông báo 12/TB-UBND",
        ),
        CadenceExempted(
            **other,
            issuer_id="ubnd-00001",
            exemption_id=EXEMPTION,
            reason="Trụ sở ngập",
            starts_at=AT,
            ends_at=END,
        ),
        CadenceExemptionEnded(**other, issuer_id="ubnd-00001", exemption_id=EXEMPTION, ends_at=END),
        ReminderDue(**other, notice=Notice.OVERDUE, recipient="ubnd-001", about="ubnd-00001", due_at=END),
        ReminderSent(**other, outcome="accepted", recipients=1, detail="250"),
        AccessAsked(**asked, originator_version=1, lapses_at=END, key_id="k3f9"),
        AccessConfirmed(**asked, originator_version=2),
        AccessRefused(**asked, originator_version=2),
        AccessLapsed(**asked, originator_version=2),
        KeyRevoked(**other, key_id="k3f9", account="tram", body="ubnd-00001"),
    )
