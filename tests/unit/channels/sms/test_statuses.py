import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.statuses import Status, Verdict, name_of, verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ESME_ROK, Verdict.ACCEPTED),
        (Status.ESME_RINVDSTADR, Verdict.REFUSED),
        (Status.ESME_RX_P_APPN, Verdict.REFUSED),
        (Status.ESME_RTHROTTLED, Verdict.DEFERRED),
        (Status.ESME_RMSGQFUL, Verdict.DEFERRED),
        (Status.ESME_RSYSERR, Verdict.DEFERRED),
        (Status.ESME_RX_T_APPN, Verdict.DEFERRED),
        (Status.ESME_RINVSRCADR, Verdict.PAYLOAD),
        (Status.ESME_RINVMSGLEN, Verdict.PAYLOAD),
        (Status.ESME_ROPTPARNOTALLWD, Verdict.PAYLOAD),
    ],
)
def test_the_table(status: Status, expected: Verdict) -> None:
    assert verdict(status) is expected
    assert name_of(status) == status.name


@given(st.integers(1, 0xFFFFFFFF))
def test_only_the_settings_say_that_a_number_is_gone(status: int) -> None:
    assert verdict(status) not in {Verdict.GONE, Verdict.ACCEPTED}
    assert verdict(status, gone={status}) is Verdict.GONE


@given(st.integers(0x400, 0x4FF))
def test_a_vendors_own_status_is_tried_again(status: int) -> None:
    assert verdict(status) is Verdict.DEFERRED
    assert name_of(status) == f"status 0x{status:08X}"
