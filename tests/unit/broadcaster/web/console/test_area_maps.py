"""Boundaries on the pages: loaded they are drawn at once, removed the circles are back."""

import json
import re

from broadcaster.boundaries.store import BoundaryCommands
from broadcaster.web.area_map import drawn, lay
from tests.boundary_files import collection, feature, square
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.console.test_screen_pages import put_up
from tests.unit.broadcaster.web.town import SYSTEM, Town

SQUARES = {"00001": (105.8478, 21.047), "00004": (105.84, 21.045), "00049": (105.852, 21.034)}
FILE = json.dumps(collection([feature(code, square(*at)) for code, at in SQUARES.items()])).encode()


def load(town: Town) -> None:
    edition = town.office.edition(town.now)
    BoundaryCommands(town.pool, town.office).load(SYSTEM, edition, FILE, "code", town.now)


def remove(town: Town) -> None:
    BoundaryCommands(town.pool, town.office).remove(SYSTEM, town.office.edition(town.now), town.now)


def test_the_map_of_recipients_draws_what_is_loaded(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/reach")
    assert lan.answer.text.count("<path class=") == 0
    load(town)
    lan.go("/console/reach")
    # Those without a place in the register are on the map now, too.
    assert lan.answer.text.count('<path class="shade-none"') == 3
    assert "chưa có tọa độ" not in lan.text
    assert lan.answer.text.count("<circle") == 5
    lan.sees("không tính được tỷ lệ")
    remove(town)
    assert lan.go("/console/reach").answer.text.count("<path class=") == 0


def test_the_picker_is_told_where_its_map_is(town: Town) -> None:
    author = Browser(town).sign_in("city-author").go("/console/compose")
    # One circle leaves nothing to choose between.
    assert "area-map" not in author.answer.text
    load(town)
    author.go("/console/compose")
    path = re.findall(r'data-map="([^"]+)"', author.answer.text)[0]
    found = author.ask("GET", path)
    assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
    said = found.json()
    assert said["outlines"].keys() == SQUARES.keys()
    assert said["circles"] == {}
    # An author of one commune has no map.
    assert "area-map" not in Browser(town).sign_in("lan").go("/console/compose").answer.text
    remove(town)
    # An old page's address still answers, with what there is now, and is not kept.
    again = author.ask("GET", path)
    assert again.headers["cache-control"] == "private, no-cache"
    assert again.json()["circles"].keys() == {"00001"}
    assert author.ask("GET", path.replace("2020-03-01", "1999-01-01")).status_code == 404


def test_a_drawing_is_made_once(town: Town) -> None:
    tree = town.office.edition(town.now).tree
    first = drawn(town.pool, tree)
    assert drawn(town.pool, tree) is first
    load(town)
    second = drawn(town.pool, tree)
    assert second is not first
    assert second is drawn(town.pool, tree)
    remove(town)
    assert drawn(town.pool, tree) == lay(tree.leaves(tree.root))


def test_screens_stand_on_the_ground_of_their_communes(town: Town) -> None:
    load(town)
    hoa = Browser(town).sign_in("hoa")
    _, screen_id = put_up(town, "Bảng chợ")
    place = {"latitude": 21.047, "longitude": 105.8478}
    town.client("hoa")("PUT", f"/v1/screens/{screen_id}/place", place).raise_for_status()
    town.catch_up()
    page = hoa.go("/console/screen-map").answer.text
    ground = re.findall(r'<g class="ground" transform="matrix\(([^)]+)\)">(.*?)</g>', page)
    assert len(ground) == 1
    a, _, _, d, e, f = map(float, ground[0][0].split())
    assert ground[0][1].count("<path") == 1
    x, y, *steps = map(int, re.findall(r"-?\d+", ground[0][1]))
    spots = [(x, y), (x + steps[0], y + steps[1]), (x + steps[0] + steps[2], y + steps[1] + steps[3])]
    dot = re.findall(r'<circle class="dot never" cx="([\d.]+)" cy="([\d.]+)"', page)[0]
    middle = a * (spots[0][0] + spots[2][0]) / 2 + e, d * (spots[0][1] + spots[2][1]) / 2 + f
    assert abs(middle[0] - float(dot[0])) < 3
    assert abs(middle[1] - float(dot[1])) < 3
