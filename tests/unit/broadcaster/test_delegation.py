"""What a body may say with what others delegated to it, against an oracle that only walks and compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, target
from hypothesis import strategies as st

from broadcaster.delegation import FURTHEST, Delegation, Delegations, Rights
from broadcaster.issuer import Issuer
from broadcaster.rules import RefusedError, Rule
from schemas.areas import Area, AreaTree
from schemas.content import Content
from schemas.events import Actor, DelegationEvent, DelegationGranted, DelegationRevoked
from schemas.ids import delegations_stream
from tests.unit.schemas.examples import CONTENT

AT = datetime(2026, 7, 10, tzinfo=UTC)
BY = Actor(account="hoa", body="grantor")
CATEGORIES = ("bao", "mua_lon", "ngap_ung")
EDITIONS = ("2020-03-01", "2025-07-01")
UNKNOWN = "99"


def hour(count: int) -> datetime:
    return AT + timedelta(hours=count)


def body(issuer_id: str, area: str, *fields: str) -> Issuer:
    return Issuer(issuer_id, 1, issuer_id, "ubnd", 2, area, frozenset(fields), None)


def what(category: str, *areas: str) -> Content:
    return CONTENT.model_copy(update={"category": category, "areas": areas})


# --- the oracle ---------------------------------------------------------------------------------


@dataclass
class Land:
    """Areas by code, each with its parent."""

    parents: dict[str, str | None]

    @property
    def tree(self) -> AreaTree:
        return AreaTree(
            EDITIONS[0],
            [
                Area(code=code, name=code, kind="x", level=1, parent_code=up)
                for code, up in self.parents.items()
            ],
        )

    def within(self, outer: str, inner: str) -> bool:
        step: str | None = inner
        while step is not None:
            if step == outer:
                return True
            step = self.parents.get(step)
        return False

    def title(self, areas: Sequence[str], fields: frozenset[str], content: Content) -> bool:
        """Whether this one title covers all of the content."""
        return ("*" in fields or content.category in fields) and all(
            code in self.parents and any(self.within(outer, code) for outer in areas)
            for code in content.areas
        )


@st.composite
def lands(draw: st.DrawFn) -> Land:
    ups = draw(st.lists(st.integers(0, 7), min_size=1, max_size=7))
    return Land({"00": None} | {f"{n:02}": f"{up % n:02}" for n, up in enumerate(ups, 1)})


def codes(land: Land) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(land.parents))


def several(one: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(one, min_size=1, max_size=3, unique=True)


OWN_FIELDS = st.sampled_from(
    [frozenset({"*"}), *(frozenset({one}) for one in CATEGORIES), frozenset[str]()]
)
HOURS = st.integers(0, 4)


@st.composite
def histories(draw: st.DrawFn, land: Land) -> list[DelegationEvent]:
    """Grants to one body, some of them revoked."""
    events: list[DelegationEvent] = []
    for number in range(draw(st.integers(0, 4))):
        place = {"originator_id": delegations_stream("grantee"), "by": BY}
        named = {"delegation_id": UUID(int=number), "grantor": "grantor", "grantee": "grantee"}
        starts = draw(HOURS)
        granted = DelegationGranted.model_validate(
            place
            | named
            | {
                "originator_version": len(events) + 1,
                "fields": tuple(draw(several(st.sampled_from(CATEGORIES)))),
                "areas": tuple(draw(several(codes(land)))),
                "edition": draw(st.sampled_from((EDITIONS[0], *EDITIONS))),
                "starts_at": hour(starts),
                "ends_at": hour(starts + draw(st.integers(1, 3))),
            }
        )
        events.append(granted)
        if draw(st.integers(0, 3)) == 0:
            version = {"originator_version": len(events) + 1}
            events.append(DelegationRevoked.model_validate(place | named | version))
    return events


@given(data=st.data())
def test_a_body_may_what_one_title_covers_and_nothing_else(data: st.DataObject) -> None:
    land = data.draw(lands())
    own = body("grantee", data.draw(codes(land)), *data.draw(OWN_FIELDS))
    events = data.draw(histories(land))
    at = hour(data.draw(HOURS))
    content = what(
        data.draw(st.sampled_from(CATEGORIES)),
        *data.draw(several(codes(land) | st.just(UNKNOWN) if data.draw(st.booleans()) else codes(land))),
    )

    held = Delegations("grantee")
    for event in events:
        held = held.after(event)
    rights = Rights(own, held)
    refusal, stood = rights.may(content, land.tree, at), rights.standing_on(content, land.tree, at)

    revoked = {event.delegation_id for event in events if isinstance(event, DelegationRevoked)}
    titles = [
        event
        for event in events
        if isinstance(event, DelegationGranted)
        and event.delegation_id not in revoked
        and event.edition == EDITIONS[0]
        and not at < event.starts_at
        and at < event.ends_at
        and land.title(event.areas, frozenset(event.fields), content)
    ]
    target(float(len(titles)))
    by_itself = land.title([own.area], own.fields, content)
    # It names the title it stands on, and none where it needs none.
    assert (stood and stood.id) == (titles[0].delegation_id if titles and not by_itself else None)
    if by_itself or titles:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.rule in {Rule.FIELD, Rule.AREA, Rule.UNKNOWN_AREA}
    assert held.version == len(events)


@given(data=st.data())
def test_no_grant_gives_what_is_not_the_grantors_own(data: st.DataObject) -> None:
    land = data.draw(lands())
    grantor = body("grantor", data.draw(codes(land)), *data.draw(OWN_FIELDS))
    fields = data.draw(several(st.sampled_from(CATEGORIES)))
    areas = data.draw(several(codes(land)))
    starts, ends, now = (hour(data.draw(HOURS)) for _ in range(3))
    grantee = data.draw(st.sampled_from(["grantee", "grantee", "grantee", "grantor"]))
    own = all(land.title([grantor.area], grantor.fields, what(field, *areas)) for field in fields)
    allowed = own and now <= starts < ends and grantee != "grantor"
    try:
        event = Delegations(grantee).grant(
            BY,
            grantor,
            UUID(int=1),
            fields=fields,
            areas=areas,
            starts_at=starts,
            ends_at=ends,
            tree=land.tree,
            at=now,
        )
    except RefusedError as refusal:
        assert not allowed
        assert refusal.rule.value.startswith("delegation.")
        assert refusal.rule.is_authority is (refusal.rule is not Rule.DELEGATION_DATES)
        return
    assert allowed
    # And through the grant nobody says what the grantor could not say itself.
    nothing_of_its_own = body(grantee, "00")
    rights = Rights(nothing_of_its_own, Delegations.fold(None, event))
    content = what(data.draw(st.sampled_from(CATEGORIES)), *data.draw(several(codes(land))))
    if rights.may(content, land.tree, starts) is None:
        assert grantor.may(content, land.tree) is None


# --- by example ---------------------------------------------------------------------------------

LAND = Land({"00": None, "01": "00", "02": "00", "03": "01", "04": "01"})
DISTRICT = body("grantor", "01", "*")
COMMUNE = body("grantee", "03", "bao")


def grant(*areas: str, starts: int = 1, ends: int = 3, now: int = 0) -> DelegationGranted:
    return Delegations("grantee").grant(
        BY,
        DISTRICT,
        UUID(int=1),
        fields=["ngap_ung"],
        areas=areas or ["04"],
        starts_at=hour(starts),
        ends_at=hour(ends),
        tree=LAND.tree,
        at=hour(now),
    )


def test_its_first_instant_holds_and_its_last_does_not() -> None:
    given_ = Delegation.of(grant())
    tick = timedelta(microseconds=1)
    wanted = {hour(1) - tick: False, hour(1): True, hour(3) - tick: True, hour(3): False}
    assert {at: given_.in_force(at) for at in wanted} == wanted


def test_titles_are_not_added_up() -> None:
    rights = Rights(COMMUNE, Delegations.fold(None, grant()))
    assert rights.may(what("bao", "03"), LAND.tree, hour(1)) is None
    assert rights.may(what("ngap_ung", "04"), LAND.tree, hour(1)) is None
    for beyond in (what("ngap_ung", "03", "04"), what("bao", "04"), what("bao", "03", "04")):
        refusal = rights.may(beyond, LAND.tree, hour(1))
        assert refusal is not None
        assert "one delegation" in refusal.detail


def test_a_delegation_lapses_with_its_edition() -> None:
    # The codes may be those of other places now.
    after = AreaTree(EDITIONS[1], LAND.tree)
    rights = Rights(COMMUNE, Delegations.fold(None, grant()))
    refusal = rights.may(what("ngap_ung", "04"), after, hour(1))
    assert refusal is not None
    assert refusal.rule is Rule.FIELD


@pytest.mark.parametrize(
    ("starts", "ends", "now"),
    [(1, 1, 0), (2, 1, 0), (1, 3, 2), (1, FURTHEST // timedelta(hours=1) + 1, 0)],
)
def test_dates_are_sane(starts: int, ends: int, now: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        grant(starts=starts, ends=ends, now=now)
    assert refusal.value.rule is Rule.DELEGATION_DATES


def test_nobody_delegates_to_itself() -> None:
    with pytest.raises(RefusedError) as refusal:
        Delegations(DISTRICT.issuer_id).grant(
            BY,
            DISTRICT,
            UUID(int=1),
            fields=["bao"],
            areas=["01"],
            starts_at=hour(0),
            ends_at=hour(1),
            tree=LAND.tree,
            at=hour(0),
        )
    assert refusal.value.rule is Rule.DELEGATION_SELF


def test_an_unknown_area_is_said_so() -> None:
    with pytest.raises(RefusedError) as refusal:
        grant(UNKNOWN)
    assert refusal.value.rule is Rule.UNKNOWN_AREA


def test_it_is_revoked_once_and_not_when_it_is_over() -> None:
    held = Delegations.fold(None, grant())
    with pytest.raises(LookupError):
        held.revoke(BY, UUID(int=2), hour(1))
    after = held.after(held.revoke(BY, UUID(int=1), hour(0)))
    assert not after.find(UUID(int=1)).in_force(hour(1))
    for late in ((after, hour(1)), (held, hour(3))):
        with pytest.raises(RefusedError) as refusal:
            late[0].revoke(BY, UUID(int=1), late[1])
        assert refusal.value.rule is Rule.DELEGATION_OVER
