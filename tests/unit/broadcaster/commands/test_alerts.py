"""The commands on a real log: authority, refusals as events, races, repeats."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.lifecycle import Command, Life, Stage
from broadcaster.log import Once, StaleError, UnknownStreamError
from broadcaster.log.recorder import KeyReusedError
from broadcaster.office import deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House, clock
from schemas.areas import Area
from schemas.content import Content, Kind, Severity
from schemas.events import Actor, AlertIssued, AttemptRefused, Shown
from schemas.ids import REGISTER_STREAM
from tests.house import BA_DINH, PHUC_XA, TRUC_BACH, approver, author, content, house, manager

BODIES = ("ubnd-tp", "so-y-te", "cong-an", "ubnd-001", "ubnd-271", "ubnd-00001", "ubnd-09790")


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def issued(hanoi: House, body: str = PHUC_XA, what: Content | None = None) -> Alert:
    alert = hanoi.alerts.draft(author(body), body, what or content(), at=clock())
    hanoi.alerts.submit(author(body), alert.id, at=clock())
    hanoi.alerts.approve(approver(body), alert.id, at=clock())
    return hanoi.alerts.issue(author(body), alert.id, at=clock())


def refusals(hanoi: House) -> list[AttemptRefused]:
    return [each.event for each in hanoi.log.everything() if isinstance(each.event, AttemptRefused)]


def refused(hanoi: House, rule: Rule, attempt: Callable[[], object]) -> None:
    """It is refused by the rule, the refusal is the one new event, and it names who tried."""
    head = hanoi.log.head()
    with pytest.raises(RefusedError) as refusal:
        attempt()
    assert refusal.value.rule is rule
    assert hanoi.log.head() == head + 1
    assert refusals(hanoi)[-1].rule == rule


def test_the_whole_road(hanoi: House) -> None:
    alert = issued(hanoi)
    assert alert.life is Life.LIVE
    event = hanoi.log.read(hanoi.log.head() - 1, 1)[0].event
    assert isinstance(event, AlertIssued)
    assert event.sender == "ubnd-00001@canhbao.hanoi.gov.vn"
    assert event.edition == "2020-03-01"
    update = hanoi.alerts.propose_update(author(PHUC_XA), alert.id, content(), at=clock())
    assert (update.life, update.stage) == (Life.LIVE, Stage.DRAFT)
    cancelled = hanoi.alerts.cancel(author(PHUC_XA), alert.id, "nhầm", in_error=True, at=clock())
    assert cancelled.life is Life.CANCELLED


@pytest.mark.parametrize(
    ("rule", "by", "body", "what"),
    [
        (Rule.AREA, author(PHUC_XA), PHUC_XA, content("00004")),
        (Rule.AREA, author(PHUC_XA), PHUC_XA, content("001")),
        (Rule.AREA, author(BA_DINH), BA_DINH, content("00001", "002")),
        (Rule.UNKNOWN_AREA, author(PHUC_XA), PHUC_XA, content("99999")),
        (Rule.BODY, author(TRUC_BACH), PHUC_XA, content()),
        (Rule.ROLE, approver(PHUC_XA), PHUC_XA, content()),
        (Rule.BODY, Actor(account="nobody"), PHUC_XA, content()),
        (Rule.UNKNOWN_CATEGORY, author(PHUC_XA), PHUC_XA, content(category="phep_thuat")),
        (Rule.RISK_LEVEL, author(PHUC_XA), PHUC_XA, content(category="giao_thong")),
        (Rule.RISK_LEVEL, author(PHUC_XA), PHUC_XA, content(risk_level=None)),
        (Rule.EXPIRY, author(PHUC_XA), PHUC_XA, content(expires_at=clock() - timedelta(seconds=1))),
        (Rule.EXPIRY, author(PHUC_XA), PHUC_XA, content(expires_at=clock() + timedelta(days=31))),
    ],
)
def test_a_draft_is_refused_by_name(hanoi: House, rule: Rule, by: Actor, body: str, what: Content) -> None:
    refused(hanoi, rule, lambda: hanoi.alerts.draft(by, body, what, at=clock()))


def test_a_department_speaks_in_its_field_only(hanoi: House) -> None:
    issuer = hanoi.office.issuer("so-y-te")
    tree = hanoi.tree()
    assert issuer.may(content("01", category="dich_benh", risk_level=None), tree) is None
    refusal = issuer.may(content("01", category="giao_thong", risk_level=None), tree)
    assert refusal is not None
    assert refusal.rule is Rule.FIELD


def test_four_eyes_are_asked_in_the_aggregate(hanoi: House) -> None:
    both = Actor(account="both", body=PHUC_XA)
    for role in (Role.AUTHOR, Role.APPROVER):
        hanoi.setup.grant(SYSTEM, "both", PHUC_XA, role, at=clock())
    alert = hanoi.alerts.draft(both, PHUC_XA, content(), at=clock())
    hanoi.alerts.submit(both, alert.id, at=clock())
    refused(hanoi, Rule.FOUR_EYES, lambda: hanoi.alerts.approve(both, alert.id, at=clock()))
    refused(hanoi, Rule.STATE, lambda: hanoi.alerts.issue(both, alert.id, at=clock()))


def test_nobody_grants_themselves(hanoi: House) -> None:
    with pytest.raises(RefusedError):
        hanoi.setup.grant(author(PHUC_XA), author(PHUC_XA).account, PHUC_XA, Role.APPROVER, at=clock())


def test_an_unknown_alert_is_said_so(hanoi: House) -> None:
    nobody = uuid4()
    with pytest.raises(UnknownStreamError, match=str(nobody)):
        hanoi.alerts.submit(author(PHUC_XA), nobody, at=clock())


def test_an_edit_that_began_earlier_is_a_conflict(hanoi: House) -> None:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    edit = content(severity=Severity.MINOR)
    hanoi.alerts.revise(author(PHUC_XA), alert.id, edit, at=clock(), expected=1)
    with pytest.raises(StaleError):
        hanoi.alerts.revise(author(PHUC_XA), alert.id, content(), at=clock(), expected=1)
    kept = hanoi.office.alert(alert.id)
    assert kept.work is not None
    assert kept.work.content == edit


def test_a_repeat_gets_the_first_answer(hanoi: House) -> None:
    once = Once("author", "k1", b"draft")
    first = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock(), once=once)
    hanoi.alerts.submit(author(PHUC_XA), first.id, at=clock())
    head = hanoi.log.head()
    again = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content("00004"), at=clock(), once=once)
    assert again == first
    assert hanoi.log.head() == head
    with pytest.raises(KeyReusedError):
        hanoi.alerts.draft(
            author(PHUC_XA), PHUC_XA, content(), at=clock(), once=Once("author", "k1", b"else")
        )


def test_racing_repeats_issue_once(hanoi: House) -> None:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    once = Once("author", "go", b"issue")
    answers: list[Alert] = []
    gate = threading.Barrier(6)

    def issue() -> None:
        gate.wait()
        answers.append(hanoi.alerts.issue(author(PHUC_XA), alert.id, at=clock(), once=once))

    threads = [threading.Thread(target=issue) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)
    assert sum(isinstance(each.event, AlertIssued) for each in hanoi.log.everything()) == 1


@pytest.mark.parametrize("named", [False, True])
def test_a_repeat_that_is_overtaken_gets_what_the_first_made(hanoi: House, *, named: bool) -> None:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    seen = hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    once = Once("author", "go", b"issue")
    first: list[Alert] = []

    def load(stream: UUID) -> Alert:
        # The first use comes between this one's look for it, and its look at the alert.
        if not first:
            first.append(hanoi.alerts.issue(author(PHUC_XA), stream, at=clock(), once=once))
        return hanoi.office.alert(stream)

    def decide(state: Alert) -> AlertIssued:
        state.check(Command.ISSUE)
        raise AssertionError("it is live by now")

    expected = seen.version if named else None
    again = deciding.change(
        hanoi.log, load, Alert.fold, alert.id, decide, at=clock(), once=once, expected=expected
    )
    assert again == first[0]
    with pytest.raises(RefusedError):
        deciding.change(hanoi.log, load, Alert.fold, alert.id, decide, at=clock())


def test_furnishing_twice_adds_nothing(hanoi: House) -> None:
    head = hanoi.log.head()
    hanoi.migrate()
    hanoi.furnish()
    assert hanoi.log.head() == head
    assert hanoi.office.issuer("ubnd-00001").parent == BA_DINH


def test_what_is_due_expires_and_nothing_else(hanoi: House) -> None:
    short, long = issued(hanoi), issued(hanoi)
    hanoi.follower(hanoi.projection("board")).catch_up()
    with hanoi.pool.connection() as conn:
        conn.execute(
            "UPDATE board_alerts SET expires_at = now() - interval '1 s' WHERE alert_id = %s", (short.id,)
        )
    # The board is only a hint: the alert itself says it has time yet.
    assert hanoi.keep_time() == 0
    late = clock() + timedelta(hours=7)
    hanoi.alerts.expire(Actor(account="system:timekeeper"), short.id, at=late)
    assert hanoi.office.alert(short.id).life is Life.EXPIRED
    assert hanoi.office.alert(long.id).life is Life.LIVE


def oracle_covers(areas: dict[str, Area], outer: str, inner: str) -> bool:
    """Whether walking up from `inner` meets `outer`."""
    step: str | None = inner
    while step is not None:
        if step == outer:
            return True
        step = areas[step].parent_code
    return False


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(data=st.data())
def test_no_body_reaches_beyond_its_area_or_field(hanoi: House, data: st.DataObject) -> None:
    tree = hanoi.tree()
    areas = {area.code: area for area in tree}
    body = data.draw(st.sampled_from(BODIES))
    issuer = hanoi.office.issuer(body)
    targets = data.draw(st.lists(st.sampled_from(sorted(areas)), min_size=1, max_size=4, unique=True))
    category = data.draw(st.sampled_from(sorted(hanoi.office.categories)))
    what = content(*targets, category=category, kind=Kind.BULLETIN, risk_level=None)
    allowed = all(oracle_covers(areas, issuer.area, target) for target in targets) and (
        "*" in issuer.fields or category in issuer.fields
    )
    refusal = issuer.may(what, tree)
    assert (refusal is None) == allowed
    assert refusal is None or refusal.rule in {Rule.AREA, Rule.FIELD}


def test_nobody_approves_a_text_he_has_not_read(hanoi: House) -> None:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    read = hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.send_back(approver(PHUC_XA), alert.id, "thiếu giờ", at=clock())
    hanoi.alerts.revise(author(PHUC_XA), alert.id, content(severity=Severity.MINOR), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    with pytest.raises(StaleError):
        hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock(), expected=read.version)
    assert hanoi.office.alert(alert.id).stage is Stage.SUBMITTED


def test_a_stream_of_another_kind_is_no_alert(hanoi: House) -> None:
    with pytest.raises(UnknownStreamError, match="there is no alert"):
        hanoi.alerts.submit(author(PHUC_XA), REGISTER_STREAM, at=clock())


def test_a_screen_reports_each_thing_once_and_only_alerts(hanoi: House) -> None:
    screen = uuid4()
    hanoi.setup.register_screen(
        manager(BA_DINH), screen, name="Ngã tư", area="00001", profile="m96x32-1", at=clock()
    )
    shown = [Shown(alert_id=issued(hanoi).id, version=1), Shown(alert_id=uuid4(), version=1)]
    assert hanoi.setup.screen_showed(screen, shown, at=clock()) == 1
    head = hanoi.log.head()
    assert hanoi.setup.screen_showed(screen, shown, at=clock()) == 0
    assert hanoi.log.head() == head


def test_a_screen_stands_within_its_managers_area(hanoi: House) -> None:
    def register() -> object:
        return hanoi.setup.register_screen(
            manager(PHUC_XA), uuid4(), name="x", area="00004", profile="m96x32-1", at=clock()
        )

    refused(hanoi, Rule.AREA, register)


def test_a_screen_has_a_display_that_can_be_drawn_for(hanoi: House) -> None:
    def register() -> object:
        return hanoi.setup.register_screen(
            manager(BA_DINH), uuid4(), name="x", area="00001", profile="hologram", at=clock()
        )

    refused(hanoi, Rule.DISPLAY, register)
