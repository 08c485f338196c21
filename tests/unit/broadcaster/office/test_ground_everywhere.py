"""Whatever the command: a right taken away between the check and the append is a right no more."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from broadcaster.account import Account, Role
from broadcaster.accounts import codes
from broadcaster.commands import testers as tester_commands
from broadcaster.commands.access import AccessCommands
from broadcaster.commands.alerts import AlertCommands
from broadcaster.commands.area_sets import AreaSetCommands
from broadcaster.commands.bodies import BodyCommands
from broadcaster.commands.delegations import DelegationCommands
from broadcaster.commands.packaged_templates import CITY
from broadcaster.commands.setup import SetupCommands
from broadcaster.commands.sms_budgets import SmsBudgetCommands
from broadcaster.commands.templates import Saved, TemplateCommands
from broadcaster.drafting.limits import Limits
from broadcaster.duty.asking import Asking
from broadcaster.duty.commands import CadenceCommands
from broadcaster.duty.reminders import Reminders
from broadcaster.engines.embedded import PostgresServer
from broadcaster.log import ConflictError
from broadcaster.office import Office
from broadcaster.registry.rules import NewSubscriber
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.screens.commands import Place, ScreenCommands
from broadcaster.screens.desk import ScreenDesk
from broadcaster.screens.pairing import Pairings
from projections.cadence.rule import State
from projections.cadence.view import BodyCadence
from schemas.cadence import CadencePolicy
from schemas.events import Actor, AttemptRefused, DisplaySetting, RoleGranted, RoleRevoked
from tests.house import PHUC_XA, TRUC_BACH, author, content, house, manager
from tests.unit.broadcaster.test_template import BODY

_NUMBERS = count()


class Interrupted(Office):
    """An office in which something happens right after the roles of one account were read."""

    whose: str = ""
    happens: Callable[[], object] | None = None

    def account(self, name: str) -> Account:
        found = super().account(name)
        if name == self.whose:
            happens, self.happens = self.happens, None
            if happens:
                happens()
        return found


class Stage(NamedTuple):
    """A house, its office that can be interrupted, and things that commands are about."""

    house: House
    office: Interrupted
    screen: UUID
    group: UUID
    alert: UUID
    template: UUID
    area_set: UUID
    device: UUID

    @property
    def desk(self) -> ScreenDesk:
        return ScreenDesk(self.office, lambda: {self.screen: self.office.screen(self.screen)})

    @property
    def access(self) -> AccessCommands:
        return AccessCommands(self.house.pool, self.office, self.house.desk.accounts, self.house.keys)

    @property
    def screens(self) -> ScreenCommands:
        pairings = Pairings(self.house.pool)
        return ScreenCommands(
            self.house.pool, self.office, SetupCommands(self.office), pairings, self.house.keys
        )


@pytest.fixture(name="stage", scope="module")
def _stage(postgres: PostgresServer, furnished: str) -> Iterator[Stage]:
    database = f"ground_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as conn:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(create.format(sql.Identifier(database), sql.Identifier(furnished)))
    with house(postgres.url_of(database)) as hanoi:
        office: Any = Interrupted.__new__(Interrupted)
        office.__dict__.update(hanoi.office.__dict__)
        at, who = clock(), manager(PHUC_XA)
        screen = hanoi.setup.register_screen(
            who, uuid4(), name="Chợ", area="00001", profile="m96x32-1", at=at
        )
        desk = ScreenDesk(hanoi.office, dict)
        templates = TemplateCommands(hanoi.office, Limits())
        yield Stage(
            hanoi,
            office,
            screen.id,
            desk.make_group(who, PHUC_XA, "Nhóm", at=at).id,
            hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=at).id,
            templates.begin(who, PHUC_XA, Saved("Mẫu", "draft", BODY), at=at).id,
            AreaSetCommands(hanoi.office).begin(who, PHUC_XA, "Bãi", ["00001"], at=at).id,
            hanoi.registry.register(NewSubscriber(phone="+84912345678", home="00001"), at).device_id,
        )


Run = Callable[[Stage, Actor], object]


def _asked(stage: Stage, wish: Any, role: Role, by: str = f"manager@{PHUC_XA}") -> Any:
    name = f"nguoi-{next(_NUMBERS)}"
    return stage.house.access.ask(Actor(account=by), wish, name, PHUC_XA, role, at=clock())


def _claim(stage: Stage, by: Actor) -> object:
    opened = Pairings(stage.house.pool).open("127.0.0.1", clock())
    return stage.screens.claim(by, opened.user_code, Place("Ga", "00001", "m96x32-1"), at=clock())


def _signs_in(stage: Stage, name: str) -> None:
    stage.house.desk.accounts.create(name, "mưa rơi trên phố", codes.new_secret(), "system:setup", clock())


def _confirm(stage: Stage, by: Actor) -> object:
    _signs_in(stage, by.account)
    return stage.access.confirm(by, _asked(stage, "invite", Role.AUTHOR).request.id, at=clock())


def _refuse(stage: Stage, by: Actor) -> object:
    return stage.access.refuse(by, _asked(stage, "key", Role.AUTHOR).request.id, at=clock())


def _revoke_key(stage: Stage, by: Actor) -> object:
    asked = _asked(stage, "key", Role.AUTHOR, f"manager@{PHUC_XA}")
    stage.house.setup.grant(SYSTEM, "thanh", CITY, Role.MANAGER, at=clock())
    _signs_in(stage, "thanh")
    stage.house.access.confirm(Actor(account="thanh"), asked.request.id, at=clock())
    return stage.access.revoke_key(by, asked.request.key_id, at=clock())


def _revoke(stage: Stage, by: Actor) -> object:
    name = f"ai-{next(_NUMBERS)}"
    stage.house.setup.grant(SYSTEM, name, PHUC_XA, Role.AUTHOR, at=clock())
    return stage.access.revoke(by, name, PHUC_XA, Role.AUTHOR, at=clock())


def _delegate(stage: Stage, by: Actor) -> object:
    return DelegationCommands(stage.office).grant(
        by,
        PHUC_XA,
        "ubnd-00004",
        fields=[content().category],
        areas=["00001"],
        starts_at=None,
        ends_at=clock() + timedelta(hours=1),
        at=clock(),
    )


def _put_up(stage: Stage, by: Actor) -> object:
    return SetupCommands(stage.office).register_screen(
        by, uuid4(), name="Bến", area="00001", profile="m96x32-1", at=clock()
    )


def _remind(stage: Stage, by: Actor) -> object:
    hanoi = stage.house
    asking = Asking(stage.office, Reminders(hanoi.pool, hanoi.log, hanoi.cadence, PHUC_XA))
    late = BodyCadence(
        issuer_id=TRUC_BACH,
        name="Trúc Bạch",
        level=3,
        area="00004",
        parent="ubnd-001",
        duty_since=clock(),
        last_item=None,
        last_item_at=None,
        items_30d=0,
        due_at=clock(),
        overdue_since=clock(),
        state=State.OVERDUE,
    )
    return asking.ask(by, late, clock())


def _testers(stage: Stage) -> tester_commands.TesterCommands:
    return tester_commands.TesterCommands(stage.office, stage.house.registry)


def _remove_tester(stage: Stage, by: Actor) -> object:
    stage.house.registry.add_tester(stage.device, clock())
    return tester_commands.TesterCommands(stage.office, stage.house.registry).remove(
        by, stage.device, at=clock()
    )


def _exempt(stage: Stage, by: Actor) -> object:
    return CadenceCommands(stage.office, PHUC_XA).exempt(
        by, PHUC_XA, reason="lũ", starts_at=None, ends_at=None, at=clock()
    )


COMMANDS: dict[str, Run] = {
    "draft": lambda s, by: AlertCommands(s.office).draft(by, PHUC_XA, content(), at=clock()),
    "submit": lambda s, by: AlertCommands(s.office).submit(by, s.alert, at=clock()),
    "template": lambda s, by: TemplateCommands(s.office, Limits()).begin(
        by, PHUC_XA, Saved("Mẫu", "draft", BODY), at=clock()
    ),
    "retire template": lambda s, by: TemplateCommands(s.office, Limits()).retire(
        by, s.template, at=clock()
    ),
    "area set": lambda s, by: AreaSetCommands(s.office).begin(by, PHUC_XA, "Bãi", ["00001"], at=clock()),
    "retire area set": lambda s, by: AreaSetCommands(s.office).retire(by, s.area_set, at=clock()),
    "policy": lambda s, by: BodyCommands(s.office).set_policy(
        by, PHUC_XA, one_person_bulletins=True, quiet_hours=None, at=clock()
    ),
    "delegate": _delegate,
    "cadence": lambda s, by: CadenceCommands(s.office, PHUC_XA).set_policy(
        by, CadencePolicy(), effective_at=None, reason="thử", at=clock()
    ),
    "exempt": _exempt,
    "remind": _remind,
    "put a screen up": _put_up,
    "take a screen down": lambda s, by: SetupCommands(s.office).remove_screen(by, s.screen, at=clock()),
    "claim a screen": _claim,
    "end a screen's keys": lambda s, by: s.screens.revoke_keys(by, s.screen, at=clock()),
    "identify": lambda s, by: s.screens.identify(by, s.screen, at=clock()),
    "set a screen": lambda s, by: s.desk.set_display(
        by, s.screen, DisplaySetting(brightness=40), at=clock()
    ),
    "pattern": lambda s, by: s.desk.ask_pattern(by, s.screen, timedelta(seconds=30), at=clock()),
    "make a group": lambda s, by: s.desk.make_group(by, PHUC_XA, "Hai", at=clock()),
    "fill a group": lambda s, by: s.desk.change_group(by, s.group, [s.screen], [], at=clock()),
    "retire a group": lambda s, by: s.desk.retire_group(by, s.group, at=clock()),
    "leave out": lambda s, by: s.desk.exclude(by, s.alert, [s.screen], [], "hỏng", at=clock()),
    "ask": lambda s, by: s.access.ask(by, "invite", "nguoi-moi", PHUC_XA, Role.AUTHOR, at=clock()),
    "confirm": _confirm,
    "refuse": _refuse,
    "revoke": _revoke,
    "revoke a key": _revoke_key,
    "add tester": lambda s, by: _testers(s).add(by, s.device, at=clock()),
    "remove tester": _remove_tester,
}
AUTHORS = {"draft", "submit", "leave out"}


def _acting(stage: Stage, name: str) -> tuple[Actor, Role]:
    """Someone new with the one role that the command wants."""
    role = Role.AUTHOR if name in AUTHORS else Role.MANAGER
    by = Actor(account=f"hand-{next(_NUMBERS)}", body=PHUC_XA)
    stage.house.setup.grant(SYSTEM, by.account, PHUC_XA, role, at=clock())
    return by, role


def _interrupt(stage: Stage, by: Actor, happens: Callable[[], object]) -> None:
    stage.office.whose, stage.office.happens = by.account, happens


def _revoked(stage: Stage, by: Actor, role: Role) -> None:
    event = stage.house.office.account(by.account).revoke(SYSTEM, PHUC_XA, role)
    stage.house.log.append([event], at=clock())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_role_revoked_while_it_is_used_is_no_role(stage: Stage, name: str) -> None:
    by, role = _acting(stage, name)
    _interrupt(stage, by, lambda: _revoked(stage, by, role))
    with pytest.raises(RefusedError) as refused:
        COMMANDS[name](stage, by)
    assert refused.value.rule == Rule.BODY
    assert stage.office.happens is None, "nothing happened while the command was decided"
    done = [one.event for one in stage.house.log.everything() if one.event.by.account == by.account]
    assert [type(each) for each in done] == [AttemptRefused]


@pytest.mark.parametrize("name", ["draft", "set a screen", "ask", "make a group", "cadence", "add tester"])
def test_what_changes_elsewhere_only_has_it_decided_again(stage: Stage, name: str) -> None:
    by, _ = _acting(stage, name)
    other = f"khác-{next(_NUMBERS)}"
    stage.house.registry.remove_tester(stage.device)
    _interrupt(stage, by, lambda: stage.house.setup.grant(SYSTEM, other, CITY, Role.AUDITOR, at=clock()))
    COMMANDS[name](stage, by)
    done = [one.event for one in stage.house.log.everything() if one.event.by.account == by.account]
    assert len(done) == 1
    assert not isinstance(done[0], AttemptRefused)


def test_nothing_is_half_done_where_it_was_refused(stage: Stage) -> None:
    """What a command changes beside the log is undone with it."""
    device, keys = stage.device, stage.house.keys
    stage.house.registry.remove_tester(device)
    by, role = _acting(stage, "add tester")
    _interrupt(stage, by, lambda: _revoked(stage, by, role))
    with pytest.raises(RefusedError):
        COMMANDS["add tester"](stage, by)
    assert device not in stage.house.registry.testers(["00001"])
    asked = _asked(stage, "key", Role.AUTHOR)
    stage.house.setup.grant(SYSTEM, "thuy", CITY, Role.MANAGER, at=clock())
    _signs_in(stage, "thuy")
    stage.house.access.confirm(Actor(account="thuy"), asked.request.id, at=clock())
    by, role = _acting(stage, "revoke a key")
    _interrupt(stage, by, lambda: _revoked(stage, by, role))
    with pytest.raises(RefusedError):
        stage.access.revoke_key(by, asked.request.key_id, at=clock())
    assert keys.find(asked.secret) is not None


def test_one_who_never_gets_to_decide_is_told(stage: Stage) -> None:
    by, _ = _acting(stage, "identify")

    def again() -> None:
        stage.house.setup.grant(SYSTEM, f"ai-{next(_NUMBERS)}", PHUC_XA, Role.AUTHOR, at=clock())
        stage.office.happens = again

    _interrupt(stage, by, again)
    with pytest.raises(ConflictError, match="changed by others"):
        COMMANDS["identify"](stage, by)


def test_the_city_sets_budgets_only_while_it_may(stage: Stage) -> None:
    by = Actor(account="city-hand", body=CITY)
    stage.house.setup.grant(SYSTEM, by.account, CITY, Role.MANAGER, at=clock())

    def gone() -> None:
        stage.house.log.append(
            [stage.house.office.account(by.account).revoke(SYSTEM, CITY, Role.MANAGER)], at=clock()
        )

    _interrupt(stage, by, gone)
    with pytest.raises(RefusedError):
        SmsBudgetCommands(stage.office).set(by, PHUC_XA, segments=9, vnd=None, at=clock())
    told = [one.event for one in stage.house.log.everything() if one.event.by.account == by.account]
    assert not [each for each in told if not isinstance(each, AttemptRefused)]
    assert {type(one.event) for one in stage.house.log.everything()} >= {RoleGranted, RoleRevoked}
