"""What happened to a body, its people, its rights and what it keeps at hand, in words."""

from projections.audit.access_words import describe_access
from projections.audit.credential_words import describe_credential
from projections.audit.line import Words, areas, clock_vi, day_vi, role_vi
from projections.audit.naming import Names
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessLapsed,
    AccessRefused,
    AreaSetEvent,
    AreaSetRetired,
    AreaSetSaved,
    CredentialEvent,
    DelegationEvent,
    DelegationGranted,
    DelegationRevoked,
    EntryEvent,
    IssuerClosed,
    IssuerContactsSet,
    IssuerEvent,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
    KeyEnded,
    KeyMade,
    KeyRevoked,
    RoleEvent,
    RoleGranted,
    RoleRevoked,
    TemplateApproved,
    TemplateEvent,
    TemplateRetired,
    TemplateSaved,
)
from schemas.local_time import HANOI


def describe_issuer(event: IssuerEvent, say: Names) -> Words:
    """The event in words."""
    code, body = event.issuer_id, say.body(event.issuer_id)
    match event:
        case IssuerRegistered(name=name):
            words = Words(f"Đăng ký cơ quan {name} ({code})", f"Registered the body {name} ({code})")
        case IssuerContactsSet(contacts=contacts):
            words = Words(
                f"Đặt {len(contacts)} đầu mối liên hệ của {body}", f"Set {len(contacts)} contacts of {body}"
            )
        case IssuerPolicySet():
            words = _policy(event, body)
        case IssuerMoved(edition=edition, name=name):
            area = say.area(event.area, edition)
            words = Words(
                f"{body} là {name}, địa bàn {area} theo danh mục {edition}",
                f"{body} is {name}, of area {area} under edition {edition}",
            )
        case IssuerClosed(successors=successors, effective_at=since):
            day, heirs = f"{since.astimezone(HANOI):%Y-%m-%d}", ", ".join(map(say.body, successors))
            words = Words(
                f"{body} giải thể từ {day_vi(since)}" + (f", chuyển cho {heirs}" if heirs else ""),
                f"{body} ends on {day}" + (f" and passes to {heirs}" if heirs else ""),
            )
        case IssuerSucceeded(effective_at=since):
            predecessor = say.body(event.predecessor)
            day = f"{since.astimezone(HANOI):%Y-%m-%d}"
            words = Words(
                f"{body} tiếp nhận {predecessor} từ {day_vi(since)}",
                f"{body} succeeds {predecessor} from {day}",
            )
    return words


def _policy(event: IssuerPolicySet, body: str) -> Words:
    one = event.one_person_bulletins
    quiet = (
        f"{event.quiet_from:%H:%M}-{event.quiet_until:%H:%M}"
        if event.quiet_from is not None and event.quiet_until is not None
        else None
    )
    return Words(
        f"Quy định của {body}: bản tin {'một' if one else 'hai'} người duyệt, "
        + (f"giờ yên tĩnh {quiet}" if quiet else "không có giờ yên tĩnh"),
        f"Policy of {body}: bulletins need {'one person' if one else 'two people'}, "
        + (f"quiet hours {quiet}" if quiet else "no quiet hours"),
    )


def describe_kept(event: TemplateEvent | AreaSetEvent, say: Names) -> Words:
    """A template or a set of areas, in words."""
    match event:
        case TemplateSaved(name=name, version=version):
            words = Words(f"Lưu mẫu {name}, bản {version}", f"Saved the template {name}, version {version}")
        case TemplateApproved(version=version):
            words = Words(f"Duyệt mẫu, bản {version}", f"Approved version {version} of the template")
        case TemplateRetired():
            words = Words("Ngừng dùng mẫu", "Retired the template")
        case AreaSetSaved(name=name, areas=codes):
            named = say.areas(codes, event.edition)
            words = Words(
                f"Lưu nhóm địa bàn {name}: {len(codes)} đơn vị{named.vi}",
                f"Saved the area set {name}: {areas(len(codes))}{named.en}",
            )
        case AreaSetRetired():
            words = Words("Ngừng dùng nhóm địa bàn", "Retired the area set")
    return words


def describe_rights(event: RoleEvent | DelegationEvent | EntryEvent | CredentialEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case RoleGranted(account=account, body=body, role=role):
            words = Words(
                f"Cấp quyền {role_vi(role)} của {say.body(body)} cho {account}",
                f"Granted {role} of {say.body(body)} to {account}",
            )
        case RoleRevoked(account=account, body=body, role=role):
            words = Words(
                f"Thu hồi quyền {role_vi(role)} của {say.body(body)} từ {account}",
                f"Revoked {role} of {say.body(body)} from {account}",
            )
        case DelegationGranted(grantor=grantor, grantee=grantee, fields=fields, areas=codes):
            named, where = ", ".join(fields), say.areas(codes, event.edition)
            giver, taker = say.body(grantor), say.body(grantee)
            dates = f"{event.starts_at:%Y-%m-%d %H:%M} - {event.ends_at:%Y-%m-%d %H:%M} UTC"
            term = f"{clock_vi(event.starts_at)} - {clock_vi(event.ends_at)}"
            words = Words(
                f"Phân cấp quyền của {giver} cho {taker}: {named}; {len(codes)} địa bàn{where.vi}; {term}",
                f"Delegated from {giver} to {taker}: {named}; {areas(len(codes))}{where.en}; {dates}",
            )
        case DelegationRevoked(grantor=grantor, grantee=grantee, delegation_id=delegation_id):
            words = Words(
                f"Thu hồi phân cấp {delegation_id} của {say.body(grantor)} cho {say.body(grantee)}",
                f"Revoked the delegation {delegation_id} from {say.body(grantor)} to {say.body(grantee)}",
            )
        case (
            AccessAsked()
            | AccessConfirmed()
            | AccessRefused()
            | AccessLapsed()
            | KeyMade()
            | KeyRevoked()
            | KeyEnded()
        ):
            words = describe_access(event, say)
        case _:
            words = describe_credential(event)
    return words
