"""What happened, in a line of Vietnamese and a line of English.

The account and the body stand beside the line, so they are not in it. Nothing here quotes a secret
or a subscriber: events hold neither.
"""

from typing import assert_never

from projections.audit.alert_words import describe_alert
from projections.audit.body_words import describe_issuer, describe_kept, describe_rights
from projections.audit.cadence_words import describe_cadence, describe_reminder
from projections.audit.delivery_words import describe_delivery
from projections.audit.line import Words
from projections.audit.naming import CODES, Names
from projections.audit.push_words import describe_push
from projections.audit.refusal_words import describe_refusal
from projections.audit.screen_words import describe_screen
from projections.audit.sms_words import describe_sms
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessLapsed,
    AccessRefused,
    AccountClosed,
    AccountInvited,
    AccountLinked,
    AccountOpened,
    AccountUnlinked,
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
    AnyEvent,
    AreaBoundariesLoaded,
    AreaBoundariesRemoved,
    AreaRegisterAdopted,
    AreaSetRetired,
    AreaSetSaved,
    AttemptRefused,
    AudienceFrozen,
    AuditEvent,
    BoundariesEvent,
    CadenceEvent,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    CanaryLate,
    CanarySent,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    DelegationGranted,
    DelegationRevoked,
    EvidenceExported,
    Exported,
    ExportMade,
    HouseRestored,
    IssuerClosed,
    IssuerContactsSet,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
    KeyEnded,
    KeyMade,
    KeyRevoked,
    PasswordChanged,
    PushEvent,
    PushRouteChosen,
    PushTopicsHalted,
    ReceiptRecorded,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    RegisterEvent,
    ReminderDue,
    ReminderEvent,
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
    ScreenMoved,
    ScreenPatternAsked,
    ScreenRegistered,
    ScreenRemoved,
    ScreenRepaired,
    ScreenShowed,
    ScreenWentOffline,
    SecondFactorChanged,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
    SmsDelivered,
    SmsEvent,
    SubscribersImported,
    TemplateApproved,
    TemplateRetired,
    TemplateSaved,
    TestersChanged,
)

_EXPORTED: dict[Exported, Words] = {
    "log": Words("toàn bộ nhật ký", "the whole log"),
    "accounting": Words("bảng người nhận của cảnh báo", "the account of an alert's recipients"),
    "cadence_report": Words("báo cáo nhịp đưa tin", "a report of the duty to inform"),
    "audit": Words("các dòng nhật ký", "lines of the log"),
}


def describe(event: AnyEvent, say: Names = CODES) -> Words:
    """The event in words. A new kind of event fails the type check here until it has some."""
    match event:
        # First what a log is nearly all of.
        case (
            ReceiptRecorded()
            | AudienceFrozen()
            | DeadLetterReplayed()
            | DeadLetterWrittenOff()
            | CanarySent()
            | CanaryLate()
            | SubscribersImported()
            | TestersChanged()
            | HouseRestored()
        ):
            words = describe_delivery(event, say)
        case (
            AlertDrafted()
            | AlertRevised()
            | AlertSubmitted()
            | AlertReturned()
            | AlertRejected()
            | AlertApproved()
            | AlertPreApproved()
            | AlertScheduled()
            | AlertUnscheduled()
            | AlertIssued()
            | AlertUpdateProposed()
            | AlertCancelled()
            | AlertExpired()
        ):
            words = describe_alert(event, say)
        case (
            RoleGranted()
            | RoleRevoked()
            | DelegationGranted()
            | DelegationRevoked()
            | AccessAsked()
            | AccessConfirmed()
            | AccessRefused()
            | AccessLapsed()
            | KeyMade()
            | KeyRevoked()
            | KeyEnded()
            | AccountInvited()
            | AccountOpened()
            | PasswordChanged()
            | SecondFactorChanged()
            | RecoveryCodesRenewed()
            | RecoveryCodeUsed()
            | AccountLinked()
            | AccountUnlinked()
            | AccountClosed()
        ):
            words = describe_rights(event, say)
        case (
            ScreenRegistered()
            | ScreenMoved()
            | ScreenRemoved()
            | ScreenShowed()
            | ScreenRepaired()
            | ScreenIdentifyAsked()
            | ScreenKeyRotated()
            | ScreenKeyRevoked()
            | ScreenWentOffline()
            | ScreenCameOnline()
            | AlertScreensExcluded()
            | AlertScreensReadmitted()
            | ScreenDescribed()
            | ScreenDisplaySet()
            | ScreenGroupChanged()
            | ScreenGroupDisplaySet()
            | ScreenGroupMade()
            | ScreenGroupRetired()
            | ScreenPatternAsked()
        ):
            words = describe_screen(event, say)
        case (
            AttemptRefused()
            | EvidenceExported()
            | ExportMade()
            | CadencePolicySet()
            | CadenceExempted()
            | CadenceExemptionEnded()
            | ReminderDue()
            | ReminderSent()
        ):
            words = _watched(event, say)
        case AreaRegisterAdopted() | AreaBoundariesLoaded() | AreaBoundariesRemoved():
            words = _register(event)
        case (
            IssuerRegistered()
            | IssuerContactsSet()
            | IssuerPolicySet()
            | IssuerMoved()
            | IssuerClosed()
            | IssuerSucceeded()
        ):
            words = describe_issuer(event, say)
        case TemplateSaved() | TemplateApproved() | TemplateRetired() | AreaSetSaved() | AreaSetRetired():
            words = describe_kept(event, say)
        case (
            SmsDelivered()
            | SmsBudgetSet()
            | SmsBudgetReserved()
            | SmsBudgetExceeded()
            | SmsBudgetStopped()
            | PushRouteChosen()
            | PushTopicsHalted()
        ):
            words = _of_channel(event, say)
        case _:
            assert_never(event)
    return words


def _of_channel(event: SmsEvent | PushEvent, say: Names) -> Words:
    match event:
        case PushRouteChosen() | PushTopicsHalted():
            return describe_push(event)
        case _:
            return describe_sms(event, say)


def _register(event: RegisterEvent | BoundariesEvent) -> Words:
    match event:
        case AreaRegisterAdopted(edition=edition, areas=register):
            words = Words(
                f"Áp dụng danh mục địa bàn {edition}: {len(register)} đơn vị",
                f"Adopted edition {edition} of the area register: {len(register)} areas",
            )
        case AreaBoundariesLoaded(edition=edition, areas=count):
            words = Words(
                f"Nạp ranh giới {count} xã, phường của danh mục địa bàn {edition}",
                f"Loaded the boundaries of {count} communes of edition {edition}",
            )
        case AreaBoundariesRemoved(edition=edition):
            words = Words(
                f"Bỏ ranh giới của danh mục địa bàn {edition}",
                f"Removed the boundaries of edition {edition}",
            )
    return words


def _watched(event: AuditEvent | CadenceEvent | ReminderEvent, say: Names) -> Words:
    match event:
        case ReminderDue() | ReminderSent():
            words = describe_reminder(event, say)
        case CadencePolicySet() | CadenceExempted() | CadenceExemptionEnded():
            words = describe_cadence(event, say)
        case AttemptRefused():
            words = describe_refusal(event)
        case EvidenceExported(upto=upto, sha256=sha256):
            words = Words(
                f"Xuất bằng chứng đến vị trí {upto} (SHA-256 {sha256})",
                f"Exported evidence up to position {upto} (SHA-256 {sha256})",
            )
        case ExportMade(what=what, form=form, filters=filters):
            asked = "".join(f", {name} {value}" for name, value in filters.items())
            words = Words(
                f"Xuất {_EXPORTED[what].vi} ra tệp {form}{asked}",
                f"Exported {_EXPORTED[what].en} as {form}{asked}",
            )
    return words
