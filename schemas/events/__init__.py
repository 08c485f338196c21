"""Every event of the log: a fact, frozen, in the past tense, under a topic that never changes.

An event's payload is its fields as compact JSON without its stream id and version, which are
columns of the log. A golden copy of each is in tests/unit/schemas/golden and must load for ever.
"""

from typing import NamedTuple

from pydantic import AwareDatetime

from schemas.events.access import (
    AccessAsked,
    AccessConfirmed,
    AccessEvent,
    AccessLapsed,
    AccessRefused,
    EntryEvent,
    KeyEnd,
    KeyEnded,
    KeyMade,
    KeyRevoked,
    Wish,
)
from schemas.events.alerts import (
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
)
from schemas.events.audit import (
    AttemptRefused,
    AuditEvent,
    EvidenceExported,
    Exported,
    ExportMade,
)
from schemas.events.base import (
    TOPICS,
    Actor,
    Event,
)
from schemas.events.bodies import (
    AreaRegisterAdopted,
    BodyEvent,
    DelegationEvent,
    DelegationGranted,
    DelegationRevoked,
    IssuerClosed,
    IssuerContact,
    IssuerContactsSet,
    IssuerEvent,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
    RegisterEvent,
    RoleEvent,
    RoleGranted,
    RoleRevoked,
)
from schemas.events.boundaries import (
    AreaBoundariesLoaded,
    AreaBoundariesRemoved,
    BoundariesEvent,
)
from schemas.events.cadence import (
    CadenceEvent,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    Notice,
    ReminderDue,
    ReminderEvent,
    ReminderSent,
)
from schemas.events.credentials import (
    AccountClosed,
    AccountInvited,
    AccountLinked,
    AccountOpened,
    AccountUnlinked,
    CredentialEvent,
    PasswordChanged,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondFactorChanged,
)
from schemas.events.delivery import (
    AudienceFrozen,
    CanaryLate,
    CanarySent,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    DeliveryEvent,
    HomeGroup,
    HouseRestored,
    ReceiptRecorded,
    Spared,
    SubscribersImported,
    TestersChanged,
)
from schemas.events.push import PushEvent, PushRouteChosen, PushTopicsHalted, Route
from schemas.events.screen_control import (
    AlertScreensEvent,
    AlertScreensExcluded,
    AlertScreensReadmitted,
    DisplaySetting,
    ScreenControlEvent,
    ScreenDescribed,
    ScreenDisplaySet,
    ScreenGroupChanged,
    ScreenGroupDisplaySet,
    ScreenGroupEvent,
    ScreenGroupMade,
    ScreenGroupRetired,
    ScreenKind,
    ScreenPatternAsked,
)
from schemas.events.screens import (
    ScreenCameOnline,
    ScreenContactEvent,
    ScreenEvent,
    ScreenIdentifyAsked,
    ScreenKeyRevoked,
    ScreenKeyRotated,
    ScreenMoved,
    ScreenRegistered,
    ScreenRemoved,
    ScreenRepaired,
    ScreenShowed,
    ScreenWentOffline,
    Shown,
)
from schemas.events.sms import (
    SmsBudgetEvent,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
    SmsDelivered,
    SmsEvent,
)
from schemas.events.templates import (
    AreaSetEvent,
    AreaSetRetired,
    AreaSetSaved,
    TemplateApproved,
    TemplateEvent,
    TemplateRetired,
    TemplateSaved,
)

AnyEvent = (
    BodyEvent
    | AlertEvent
    | TemplateEvent
    | AreaSetEvent
    | AuditEvent
    | DeliveryEvent
    | ScreenEvent
    | ScreenContactEvent
    | ScreenControlEvent
    | SmsEvent
    | PushEvent
    | CadenceEvent
    | ReminderEvent
    | EntryEvent
    | BoundariesEvent
    | CredentialEvent
)


class Recorded(NamedTuple):
    """An event with its place in the log and the instant the log recorded it (UTC)."""

    position: int
    recorded_at: AwareDatetime
    event: AnyEvent


__all__ = [
    "TOPICS",
    "AccessAsked",
    "AccessConfirmed",
    "AccessEvent",
    "AccessLapsed",
    "AccessRefused",
    "AccountClosed",
    "AccountInvited",
    "AccountLinked",
    "AccountOpened",
    "AccountUnlinked",
    "Actor",
    "AlertApproved",
    "AlertCancelled",
    "AlertDrafted",
    "AlertEvent",
    "AlertExpired",
    "AlertIssued",
    "AlertPreApproved",
    "AlertRejected",
    "AlertReturned",
    "AlertRevised",
    "AlertScheduled",
    "AlertScreensEvent",
    "AlertScreensExcluded",
    "AlertScreensReadmitted",
    "AlertSubmitted",
    "AlertUnscheduled",
    "AlertUpdateProposed",
    "AnyEvent",
    "AreaBoundariesLoaded",
    "AreaBoundariesRemoved",
    "AreaRegisterAdopted",
    "AreaSetEvent",
    "AreaSetRetired",
    "AreaSetSaved",
    "AttemptRefused",
    "AudienceFrozen",
    "AuditEvent",
    "BodyEvent",
    "BoundariesEvent",
    "CadenceEvent",
    "CadenceExempted",
    "CadenceExemptionEnded",
    "CadencePolicySet",
    "CanaryLate",
    "CanarySent",
    "CredentialEvent",
    "DeadLetterReplayed",
    "DeadLetterWrittenOff",
    "DelegationEvent",
    "DelegationGranted",
    "DelegationRevoked",
    "DeliveryEvent",
    "DisplaySetting",
    "EntryEvent",
    "Event",
    "EvidenceExported",
    "ExportMade",
    "Exported",
    "HomeGroup",
    "HouseRestored",
    "IssuerClosed",
    "IssuerContact",
    "IssuerContactsSet",
    "IssuerEvent",
    "IssuerMoved",
    "IssuerPolicySet",
    "IssuerRegistered",
    "IssuerSucceeded",
    "KeyEnd",
    "KeyEnded",
    "KeyMade",
    "KeyRevoked",
    "Notice",
    "PasswordChanged",
    "PushEvent",
    "PushRouteChosen",
    "PushTopicsHalted",
    "ReceiptRecorded",
    "Recorded",
    "RecoveryCodeUsed",
    "RecoveryCodesRenewed",
    "RegisterEvent",
    "ReminderDue",
    "ReminderEvent",
    "ReminderSent",
    "RoleEvent",
    "RoleGranted",
    "RoleRevoked",
    "Route",
    "ScreenCameOnline",
    "ScreenContactEvent",
    "ScreenControlEvent",
    "ScreenDescribed",
    "ScreenDisplaySet",
    "ScreenEvent",
    "ScreenGroupChanged",
    "ScreenGroupDisplaySet",
    "ScreenGroupEvent",
    "ScreenGroupMade",
    "ScreenGroupRetired",
    "ScreenIdentifyAsked",
    "ScreenKeyRevoked",
    "ScreenKeyRotated",
    "ScreenKind",
    "ScreenMoved",
    "ScreenPatternAsked",
    "ScreenRegistered",
    "ScreenRemoved",
    "ScreenRepaired",
    "ScreenShowed",
    "ScreenWentOffline",
    "SecondFactorChanged",
    "Shown",
    "SmsBudgetEvent",
    "SmsBudgetExceeded",
    "SmsBudgetReserved",
    "SmsBudgetSet",
    "SmsBudgetStopped",
    "SmsDelivered",
    "SmsEvent",
    "Spared",
    "SubscribersImported",
    "TemplateApproved",
    "TemplateEvent",
    "TemplateRetired",
    "TemplateSaved",
    "TestersChanged",
    "Wish",
]
