from pathlib import Path

from broadcaster.demo.people import weights, write_people
from broadcaster.registry.lines import Person, SubscriberFile
from broadcaster.registry.rules import NewSubscriber
from schemas.areas import AreaTree
from tests.registries import HANOI, SMALL


def people(path: Path, count: int, tree: AreaTree = SMALL, seed: int = 1) -> list[NewSubscriber]:
    """Writes the file and reads it back; no line may be rejected."""
    write_people(path, count, tree, seed)
    said = [line.said for line in SubscriberFile(path, tree)]
    valid = [one.new for one in said if isinstance(one, Person)]
    assert len(valid) == len(said) == count
    return valid


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_people(tmp_path / name, 500, HANOI, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_a_districts_population_is_spread_over_its_communes() -> None:
    assert weights(SMALL) == {"00101": 300, "00102": 300, "00103": 300, "00201": 50, "00202": 50}
    assert set(weights(HANOI)) == {area.code for area in HANOI.leaves("01")}
    assert all(weight > 0 for weight in weights(HANOI).values())


def test_people_are_as_told(tmp_path: Path) -> None:
    count = 20_000
    found = people(tmp_path / "people.csv", count)
    tokens = [new.token for new in found if new.token is not None]
    phones = [new.phone for new in found if new.phone is not None]

    def share(some: int) -> float:
        return round(some / count, 2)

    assert share(sum(new.home.startswith("001") for new in found)) == 0.9
    assert round(sum(token.startswith("gone-") for token in tokens) / len(tokens), 2) == 0.02
    assert share(len(phones)) == 0.15
    assert share(sum(new.token is None for new in found)) == 0.05
    assert share(sum(new.locale == "en" for new in found)) == 0.05
    assert share(sum(bool(new.areas) for new in found)) == 0.08
    assert share(sum(bool(new.opt_outs) for new in found)) == 0.03
    assert sum(phone.endswith("0000001") for phone in phones) == 10
    assert all(phone.startswith("+849") for phone in phones)
    assert {new.platform for new in found} == {"android", "ios", "web", None}
