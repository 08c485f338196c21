"""What happened, in a line of Vietnamese and a line of English.

The account and the body stand beside the line, so they are not in it. Nothing here quotes a secret
or a subscriber: events hold neither.
"""

from typing import assert_never

from projections.audit.alert_words import describe_alert
from projections.audit.body_words import describe_issuer, describe_kept, describe_rights
from projections.audit.cadence_words import describe_cadence, describe_reminder
from projections.audit.line import Words, channel_vi, lane_vi
from projections.audit.delivery_words import describe_delivery
from projections.audit.line import Words
from projections.audit.push_words import describe_push
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
    IssuerClosed,
    IssuerContactsSet,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
    KeyRevoked,
    PushRouteChosen,
    PushTopicsHalted,
    ReceiptRecorded,
    RegisterEvent,
    PasswordChanged,
    ReceiptRecorded,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
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
    SubscribersImported,
    TemplateApproved,
    TemplateRetired,
    TemplateSaved,
    TestersChanged,
)

_OUTCOMES = {
    Outcome.ACCEPTED: Words("đã gửi", "accepted"),
    Outcome.GONE: Words("không còn dùng", "gone"),
    Outcome.REFUSED: Words("bị từ chối", "refused"),
    Outcome.DEFERRED: Words("hoãn gửi", "deferred"),
    Outcome.DEAD: Words("không gửi được", "dead"),
    Outcome.EXPIRED: Words("hết hạn", "expired"),
    Outcome.SUPERSEDED: Words("đã có bản mới", "superseded"),
}

_EXPORTED: dict[Exported, Words] = {
    "log": Words("toàn bộ nhật ký", "the whole log"),
    "accounting": Words("bảng người nhận của cảnh báo", "the account of an alert's recipients"),
    "cadence_report": Words("báo cáo nhịp đưa tin", "a report of the duty to inform"),
}


def describe(event: AnyEvent) -> Words:
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
            | PushRouteChosen()
            | PushTopicsHalted()
        ):
            words = (
                describe_push(event)
                if isinstance(event, PushRouteChosen | PushTopicsHalted)
                else _delivery(event)
            )
            words = describe_delivery(event)
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
            words = describe_alert(event)
        case (
            RoleGranted()
            | RoleRevoked()
            | DelegationGranted()
            | DelegationRevoked()
            | AccessAsked()
            | AccessConfirmed()
            | AccessRefused()
            | AccessLapsed()
            | KeyRevoked()
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
            words = describe_rights(event)
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
            words = describe_screen(event)
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
            words = _watched(event)
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
            words = describe_issuer(event)
        case TemplateSaved() | TemplateApproved() | TemplateRetired() | AreaSetSaved() | AreaSetRetired():
            words = describe_kept(event)
        case (
            SmsDelivered() | SmsBudgetSet() | SmsBudgetReserved() | SmsBudgetExceeded() | SmsBudgetStopped()
        ):
            words = describe_sms(event)
        case _:
            assert_never(event)
    return words


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


def _watched(event: AuditEvent | CadenceEvent | ReminderEvent) -> Words:
    match event:
        case ReminderDue() | ReminderSent():
            words = describe_reminder(event)
        case CadencePolicySet() | CadenceExempted() | CadenceExemptionEnded():
            words = describe_cadence(event)
        case AttemptRefused(command=command, rule=rule, detail=detail):
            words = Words(
                f"Từ chối lệnh {command}: {rule} ({detail})", f"Refused to {command}: {rule} ({detail})"
            )
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


def _frozen(event: AudienceFrozen) -> Words:
    count, version, channel = event.count, event.version, event.channel
    if event.topics:
        return Words(
            f"Chốt {count} người nhận phiên bản {version} theo {len(event.topics)} chủ đề",
            f"Fixed {count} recipients of version {version} by {len(event.topics)} topics",
        )
    if event.instead_of:
        return Words(
            f"Chủ đề {event.instead_of} không gửi được, {count} người nhận chuyển sang gửi từng máy",
            f"Topic {event.instead_of} was given up: its {count} recipients get theirs by token",
        )
    if event.wave:
        return Words(
            f"Chốt thêm {count} người nhận phiên bản {version} qua {channel}: cảnh báo nặng hơn đã rút",
            f"Fixed {count} more recipients of version {version} by {channel}: a graver one is gone",
        )
    return Words(
        f"Chốt {count} người nhận phiên bản {version} qua {channel}",
        f"Fixed {count} recipients of version {version} by {channel}",
    )


def _delivery(event: DeliveryEvent) -> Words:
    match event:
        case AudienceFrozen(version=version, channel=channel, count=count) if event.wave:
            words = Words(
                f"Chốt thêm {count} người nhận bản {version} qua {channel_vi(channel)}: "
                "cảnh báo cấp cao hơn đã thu hồi",
                f"Fixed {count} more recipients of version {version} by {channel}: a graver one is gone",
            )
        case AudienceFrozen(version=version, channel=channel, count=count):
            words = Words(
                f"Chốt {count} người nhận bản {version} qua {channel_vi(channel)}",
                f"Fixed {count} recipients of version {version} by {channel}",
            )
        case AudienceFrozen():
            words = _frozen(event)
        case ReceiptRecorded(receipt=receipt):
            words = _receipt(receipt)
        case DeadLetterReplayed(dispatch=order, reason=reason):
            words = Words(
                f"Gửi lại cho {len(order.ranks)} người nhận chưa gửi được qua "
                f"{channel_vi(order.channel)}: {reason}",
                f"Replayed a dead letter of {len(order.ranks)} recipients by {order.channel}: {reason}",
            )
        case DeadLetterWrittenOff(channel=channel, count=count, reason=reason):
            words = Words(
                f"Thôi gửi cho {count} người nhận chưa gửi được qua {channel_vi(channel)}: {reason}",
                f"Wrote off a dead letter of {count} recipients by {channel}: {reason}",
            )
        case CanarySent(lane=lane, channels=channels):
            roads = ", ".join(channels)
            named = ", ".join(channel_vi(each) for each in channels)
            words = Words(
                f"Gửi tin thử làn {lane_vi(lane)} qua {named}", f"Sent a test item on {lane} by {roads}"
            )
        case CanaryLate(lane=lane, channel=channel, number=number):
            words = Words(
                f"Tin thử {number} làn {lane_vi(lane)} qua {channel_vi(channel)} bị trễ hoặc mất",
                f"Test item {number} on {lane} by {channel} is late or lost",
            )
        case SubscribersImported(accepted=accepted, rejected=rejected):
            words = Words(
                f"Nạp người nhận: {accepted} hợp lệ, {rejected} bị loại",
                f"Imported subscribers: {accepted} taken, {rejected} rejected",
            )
        case TestersChanged(area=area, added=added, removed=removed):
            words = Words(
                f"Người tham gia thử tại {area}: thêm {added}, bớt {removed}",
                f"Testers of {area}: {added} added, {removed} removed",
            )
    return words


def _receipt(receipt: Receipt) -> Words:
    dispatch = receipt.dispatch
    place = (
        f"{dispatch.channel} v{dispatch.version} [{dispatch.first}, {dispatch.last}) #{dispatch.attempt}"
    )
    counts = [
        (receipt.counts[outcome], words)
        for outcome, words in _OUTCOMES.items()
        if outcome in receipt.counts
    ]
    return Words(
        f"Kết quả gửi {place}: " + ", ".join(f"{count} {words.vi}" for count, words in counts),
        f"Receipt of {place}: " + ", ".join(f"{count} {words.en}" for count, words in counts),
    )
