"""What an SMSC's answers mean for a recipient (SMPP 3.4 §5.1.3, command_status)."""

from collections.abc import Collection
from enum import Enum, IntEnum

from schemas.dispatch import Outcome


class Status(IntEnum):
    """The command_status values that answer a bind or a submit."""

    ESME_ROK = 0x00
    ESME_RINVMSGLEN = 0x01
    ESME_RINVCMDLEN = 0x02
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RINVPRTFLG = 0x06
    ESME_RINVREGDLVFLG = 0x07
    ESME_RSYSERR = 0x08
    ESME_RINVSRCADR = 0x0A
    ESME_RINVDSTADR = 0x0B
    ESME_RBINDFAIL = 0x0D
    ESME_RINVPASWD = 0x0E
    ESME_RINVSYSID = 0x0F
    ESME_RMSGQFUL = 0x14
    ESME_RINVSERTYP = 0x15
    ESME_RINVESMCLASS = 0x43
    ESME_RSUBMITFAIL = 0x45
    ESME_RINVSRCTON = 0x48
    ESME_RINVSRCNPI = 0x49
    ESME_RINVDSTTON = 0x50
    ESME_RINVDSTNPI = 0x51
    ESME_RTHROTTLED = 0x58
    ESME_RINVEXPIRY = 0x62
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RINVOPTPARSTREAM = 0xC0
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVPARLEN = 0xC2
    ESME_RINVOPTPARAMVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF


class Verdict(Enum):
    """What to make of an answer."""

    ACCEPTED = Outcome.ACCEPTED
    GONE = Outcome.GONE
    REFUSED = Outcome.REFUSED
    DEFERRED = Outcome.DEFERRED
    PAYLOAD = "payload"
    """It is about what we send, not whom we send it to."""


# For this recipient, for good. ESME_RINVDSTADR is here and not under GONE: carriers also give it for a
# prefix they cannot route today, and GONE erases the number.
_REFUSED = frozenset({Status.ESME_RINVDSTADR, Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN})
_PAYLOAD = frozenset(
    {
        Status.ESME_RINVMSGLEN,
        Status.ESME_RINVCMDLEN,
        Status.ESME_RINVCMDID,
        Status.ESME_RINVPRTFLG,
        Status.ESME_RINVREGDLVFLG,
        Status.ESME_RINVSRCADR,  # the brand name is not registered with this carrier
        Status.ESME_RINVSERTYP,
        Status.ESME_RINVESMCLASS,
        Status.ESME_RINVSRCTON,
        Status.ESME_RINVSRCNPI,
        Status.ESME_RINVDSTTON,
        Status.ESME_RINVDSTNPI,
        Status.ESME_RINVEXPIRY,
        Status.ESME_RINVOPTPARSTREAM,
        Status.ESME_ROPTPARNOTALLWD,
        Status.ESME_RINVPARLEN,
        Status.ESME_RINVOPTPARAMVAL,
    }
)


def verdict(status: int, gone: Collection[int] = ()) -> Verdict:
    """What the answer means; `gone` are the statuses that this carrier gives for a number no longer in use.

    What no table knows (0x400-0x4FF are the vendor's own) is deferred: a later try harms no one.
    """
    if status == Status.ESME_ROK:
        return Verdict.ACCEPTED
    if status in gone:
        return Verdict.GONE
    if status in _REFUSED:
        return Verdict.REFUSED
    return Verdict.PAYLOAD if status in _PAYLOAD else Verdict.DEFERRED


def name_of(status: int) -> str:
    """The status's name in the specification, or its number."""
    try:
        return Status(status).name
    except ValueError:
        return f"status 0x{status:08X}"
