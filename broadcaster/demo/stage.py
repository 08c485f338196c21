"""Setting the stage: accounts with keys, subscribers, screens. Safe to repeat in the same folder."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from broadcaster import reference
from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.commands.bodies import BodyCommands
from broadcaster.demo.people import write_people
from broadcaster.engines.datafolder import write_private
from broadcaster.keys.rows import KeyKind
from broadcaster.registry.csv_import import import_csv
from broadcaster.runtime import SYSTEM, House, clock
from schemas.areas import AreaTree
from schemas.events import Actor
from schemas.ids import stream_id

SEED = 2024
PROFILES = ("m96x32-1", "m128x64-1", "m192x64-1", "m192x96-1", "lcd1920")
CITY = "ubnd-tp"
NAMED = (CITY, "ubnd-001", "ubnd-00001", "ubnd-00004")
"""Bodies that get accounts beside those whose samples are issued."""
ROLES = {
    "author": (Role.AUTHOR,),
    "approver": (Role.APPROVER,),
    "manager": (Role.MANAGER,),
    "auditor": (Role.AUDITOR,),
}


@dataclass
class DemoScreen:
    """A screen of the demo, with its key."""

    id: UUID
    key: str = field(repr=False)
    area: str
    profile: str


@dataclass
class Props:
    """What a second start in the folder finds again; kept in demo.json."""

    keys: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]], repr=False)
    """Body, role, key."""
    screens: list[DemoScreen] = field(default_factory=list[DemoScreen])
    secret: str = field(default_factory=codes.new_secret, repr=False)
    """Of the second factor of the console's accounts."""

    @classmethod
    def read(cls, path: Path) -> "Props":
        """Of an earlier start; empty where there was none."""
        if not path.exists():
            return cls()
        stored = json.loads(path.read_text(encoding="utf-8"))
        screens = [
            DemoScreen(UUID(each["id"]), each["key"], each["area"], each["profile"])
            for each in stored["screens"]
        ]
        return cls(stored["keys"], screens, stored.get("secret") or codes.new_secret())

    def write(self, path: Path, more: dict[str, object]) -> None:
        """For the next start, and for whoever tries the API; mode 0600, as it holds keys."""
        screens = [asdict(screen) | {"id": str(screen.id)} for screen in self.screens]
        stored = more | {"keys": self.keys, "screens": screens, "secret": self.secret}
        write_private(path, json.dumps(stored, ensure_ascii=False, indent=2) + "\n")


def bodies() -> tuple[str, ...]:
    """The bodies that act: those of the samples, and a few named ones."""
    return tuple(dict.fromkeys([*NAMED, *(sample.issuer_id for sample in reference.sample_alerts())]))


def give_keys(house: House, props: Props) -> None:
    """An account with a key for each role of each acting body, where it has none yet."""
    for body in bodies():
        held = props.keys.setdefault(body, {})
        for name, roles in ROLES.items():
            if name in held:
                continue
            account = f"{name}@{body}"
            key_id, held[name] = house.keys.create(account, body, KeyKind.STAFF, clock())
            for role in roles:
                house.setup.grant(SYSTEM, account, body, role, at=clock(), key_id=key_id)


def keep_no_quiet_hours(house: House) -> None:
    """A demo at night shows the same as one by day: its bodies hold no bulletin till the morning."""
    commands = BodyCommands(house.office)
    for body in bodies():
        if house.office.issuer(body).policy.quiet_from is not None:
            manager = Actor(account=f"manager@{body}", body=body)
            commands.set_policy(manager, body, one_person_bulletins=False, quiet_hours=None, at=clock())


def add_subscribers(
    house: House, folder: Path, count: int, progress: Callable[[int, int, int, int], None]
) -> None:
    """Synthetic subscribers, spread by population. An import that was cut off goes on."""
    path, tree = folder / "people.csv", house.tree()
    if not path.exists():
        write_people(path, count, tree, SEED)
    result = import_csv(path, house.pool, tree, at=clock(), progress=progress)
    house.setup.subscribers_imported(
        SYSTEM, result.file_sha256, result.accepted, result.rejected, at=clock()
    )


def add_screens(house: House, props: Props, count: int) -> None:
    """Screens at communes all over the city, up to `count`."""
    places = spread(house.tree(), count)
    manager = Actor(account=f"manager@{CITY}", body=CITY)
    for number in range(len(props.screens), count):
        screen_id, area = stream_id("screen", "demo", number), places[number]
        profile = PROFILES[number % len(PROFILES)]
        if not house.log.has(screen_id):
            name = f"{house.tree()[area].name} {number + 1}"
            house.setup.register_screen(
                manager, screen_id, name=name, area=area, profile=profile, at=clock()
            )
        _, key = house.keys.create(f"screen:{screen_id}", None, KeyKind.SCREEN, clock())
        props.screens.append(DemoScreen(screen_id, key, area, profile))


def spread(tree: AreaTree, count: int) -> list[str]:
    """So many communes, evenly through the register."""
    communes = [area.code for area in tree.leaves(tree.root)]
    return [communes[number * len(communes) // max(count, 1) % len(communes)] for number in range(count)]
