"""The two reorganisations of 2025 on a populated city: nobody lost, nobody silently moved."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from broadcaster import reference
from broadcaster.registry.address_book import address_hash
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import DescriptionError, packaged
from broadcaster.reorganisation.report import Report
from broadcaster.runtime import SYSTEM, House, clock
from schemas.areas import AreaTree
from schemas.events import IssuerRegistered
from tests.house import house

PEOPLE = 20_000
EDITIONS = reference.editions()


def populate(opened: House, seed: int = 1) -> dict[UUID, tuple[str, frozenset[str]]]:
    """So many phones over every commune; a fifth follow other areas too. By device: home, areas."""
    draw, tree = random.Random(seed), reference.tree(EDITIONS[0])
    communes = [area.code for area in tree.leaves(tree.root)]
    homes = communes + draw.choices(communes, k=PEOPLE - len(communes))
    anywhere = [area.code for area in tree]
    with opened.pool.connection() as conn, conn.cursor() as cursor:
        with cursor.copy(
            "COPY subscribers (push_token, push_kind, platform, push_hash, locale, edition, home, home_no,"
            " opt_outs, created_at, updated_at) FROM STDIN"
        ) as copy:
            for number, home in enumerate(homes):
                token = f"token-{number}"
                facts = (token, "token", "android", address_hash(token), "vi", EDITIONS[0], home)
                copy.write_row((*facts, tree.number(home), [], clock(), clock()))
        rows = cursor.execute("SELECT id, device_id, home FROM subscribers").fetchall()
        followed = {id_: frozenset(draw.sample(anywhere, 2)) - {home} for id_, _, home in rows[::5]}
        with cursor.copy("COPY subscriber_areas (area_no, subscriber_id) FROM STDIN") as copy:
            for id_, areas in followed.items():
                for area in areas:
                    copy.write_row((tree.number(area), id_))
    return {device: (home, followed.get(id_, frozenset())) for id_, device, home in rows}


def recount(opened: House) -> dict[UUID, tuple[str, str, frozenset[str], frozenset[str]]]:
    """By device: edition, home, chosen areas, areas meanwhile."""
    found: dict[UUID, tuple[str, str, frozenset[str], frozenset[str]]] = {}
    query = """
        SELECT device_id, edition, home,
            ARRAY(SELECT area_no FROM subscriber_areas WHERE subscriber_id = id AND NOT meanwhile),
            ARRAY(SELECT area_no FROM subscriber_areas WHERE subscriber_id = id AND meanwhile)
        FROM subscribers"""
    with opened.pool.connection() as conn:
        for device, edition, home, chosen, meanwhile in conn.execute(query):
            tree = reference.tree(edition)
            codes = [frozenset(tree.at(number).code for number in few) for few in (chosen, meanwhile)]
            found[device] = (edition, home, codes[0], codes[1])
    return found


def oracle(before: AreaTree, after: AreaTree) -> dict[str, frozenset[str]]:
    """Where the people of each old area are, straight from the table of successions."""
    rows: defaultdict[str, set[str]] = defaultdict(set)
    for one in reference.successions(after.edition):
        if one.coverage != "area_only":
            rows[one.old_code].add(one.new_code)
    leaves = {leaf.code: rows.get(leaf.code, {leaf.code}) for leaf in before.leaves(before.root)}
    found = {code: frozenset(news) for code, news in leaves.items()}
    for area in before:
        if not before.is_leaf(area.code):
            stays = area.code in after and not after.is_leaf(area.code)
            below = [leaves[leaf.code] for leaf in before.leaves(area.code)]
            found[area.code] = frozenset({area.code}) if stays else frozenset().union(*below)
    return found


@pytest.fixture
def opened(city_database: str) -> Iterator[House]:
    with house(city_database) as one:
        yield one


def test_the_city_of_2025_loses_nobody_and_moves_nobody_silently(opened: House) -> None:
    people = populate(opened)
    commands = ReorganisationCommands(opened.pool, opened.office)
    stands = {
        device: (EDITIONS[0], home, areas, frozenset[str]()) for device, (home, areas) in people.items()
    }
    for edition in EDITIONS[1:]:
        told = commands.try_out(packaged(edition), clock())
        assert recount(opened) == stands
        assert commands.apply(packaged(edition), SYSTEM, clock()) == told
        done = opened.move_due_subscribers()
        after = recount(opened)
        _check_people(told, stands, after, oracle(*map(reference.tree, (told.follows, edition))))
        assert (done.subscribers, done.unsettled) == (told.moved, told.unsettled)
        assert opened.move_due_subscribers().subscribers == 0
        assert recount(opened) == after
        stands = after
    _check_bodies(opened)


def _check_people(told: Report, before: Any, after: Any, became: dict[str, frozenset[str]]) -> None:
    assert after.keys() == before.keys()
    moved, unsettled = Counter[str](), Counter[str]()
    for device, (_, home, chosen, meanwhile) in before.items():
        edition, home_now, chosen_now, meanwhile_now = after[device]
        moved[home] += 1
        unsettled[home] += bool(meanwhile_now)
        assert edition == told.edition
        assert home_now in became[home]
        hears = became[home].union(*(became[code] for code in chosen | meanwhile))
        assert {home_now} | chosen_now | meanwhile_now == hears
        # Nobody is settled in one part of several without being asked.
        assert len(became[home]) == 1 or meanwhile_now or became[home] <= {home_now} | chosen_now
    reported = {one.area.split()[0]: (one.moved, one.unsettled) for one in told.subscribers}
    assert reported == {home: (count, unsettled[home]) for home, count in moved.items()}
    assert told.moved == len(before)


def _check_bodies(opened: House) -> None:
    """One open people's committee for each of the 126 communes, and every closed body has an heir."""
    at, edition = clock(), EDITIONS[-1]
    names = {
        each.event.issuer_id
        for each in opened.log.read(0, 5000, (IssuerRegistered.TOPIC,))
        if isinstance(each.event, IssuerRegistered)
    }
    bodies = [opened.office.body(name, at) for name in sorted(names)]
    tree = reference.tree(edition)
    communes = Counter(
        body.seat(edition) for body in bodies if body.kind == "ubnd_xa" and not body.closed(at)
    )
    assert communes == Counter(leaf.code for leaf in tree.leaves(tree.root))
    for body in bodies:
        heirs = opened.office.answering(body.issuer_id, at)
        assert heirs
        assert all(heir.seat(edition) in tree for heir in heirs)
        if body.kind == "ubnd_huyen":
            assert [heir.issuer_id for heir in heirs] == ["ubnd-tp"]
    khcn = opened.office.rights("so-khcn", at)
    assert {"vien_thong", "tuyen_truyen", "lua_dao"} <= khcn.own.fields
    assert opened.office.body("ubnd-00004", at).name == "UBND phường Ba Đình"


def test_an_edition_is_applied_once_and_in_order(opened: House) -> None:
    commands = ReorganisationCommands(opened.pool, opened.office)
    with pytest.raises(DescriptionError, match="follows 2025-01-01, and the newest is 2020-03-01"):
        commands.apply(packaged("2025-07-01"), SYSTEM, clock())
    head = opened.log.head()
    commands.apply(packaged("2025-01-01"), SYSTEM, clock())
    assert opened.log.head() > head
    assert commands.is_adopted(packaged("2025-01-01"))
    with pytest.raises(DescriptionError, match="adopted already"):
        commands.apply(packaged("2025-01-01"), SYSTEM, clock())
