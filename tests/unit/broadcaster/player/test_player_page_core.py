"""The page's rules are the controller's: the same traces through both give the same pictures."""

import json
import random
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from broadcaster.player.controller import FeedError, Player

CORE = files("broadcaster.web") / "static" / "player_core.js"
TRACE = Path(__file__).with_name("player_trace.mjs")
START = 1_786_521_600_000
NODE = shutil.which("node")


def document(draw: random.Random, seq: int, now: int) -> str:
    items: list[Any] = []
    for number in range(draw.randrange(4)):
        starts = now + draw.randrange(-60_000, 30_000)
        one = {
            "id": f"a{draw.randrange(6)}-{number}",
            "rev": draw.randrange(1, 3),
            "kind": draw.choice(["alert", "bulletin"]),
            "status": draw.choice(["actual", "actual", "exercise", "test", "unheard-of"]),
            "mode": draw.choice(["rotate", "rotate", "preempt"]),
            "priority": draw.choice([10, 50, 100]),
            "starts_at": starts,
            "expires_at": starts + draw.choice([1, 45_000, 10_000_000]),
            "text": "Mưa lớn",
            "pages": [{"ms": 4000, "lines": [f"trang {n}"]} for n in range(draw.randrange(4))],
            "offline_max_s": draw.choice([None, 0, 60]),
            "show_if_untrusted_clock": draw.random() < 0.2,
        }
        for left_out in draw.sample(sorted(one), draw.choice([0, 0, 0, 1])):
            del one[left_out]
        items.append(one)
    told: dict[str, Any] = {
        "schema": "led-feed/1" if draw.random() < 0.95 else "led-feed/9",
        "epoch": draw.choice([1, 1, 1, 1, 2]),
        "seq": seq + draw.choice([0, 0, 0, -3]),
        "area": draw.choice(["00001", "00001", "00004"]),
        "profile": "lcd1920",
        "policy": {"stale_after_s": 90},
        "items": items,
        "cancelled": [{"id": f"a{draw.randrange(6)}-0", "rev": 2}],
    }
    if draw.random() < 0.4:
        told["display"] = display(draw, now)
    if draw.random() < 0.3:
        told["excluded"] = [{"id": f"a{draw.randrange(6)}-{draw.randrange(3)}", "rev": 1}]
    if draw.random() < 0.05:
        del told[draw.choice(["seq", "items"])]
    return json.dumps(told)


def display(draw: random.Random, now: int) -> Any:
    """Settings of a screen: quiet hours around this very minute, and things that cannot be read."""
    begins = now // 60_000 + 420 + draw.randrange(-3, 2)
    hours = [f"{at % 1440 // 60:02}:{at % 60:02}" for at in (begins, begins + draw.choice([2, 700, 1439]))]
    quiet: dict[str, Any] = {"from": hours[0], "until": hours[1], "utc_offset_min": 420}
    quiet["hides_emergencies"] = draw.random() < 0.3
    if draw.random() < 0.2:
        quiet[draw.choice(sorted(quiet))] = draw.choice([None, "24.00", 5, "29:59", -600])
    told = {"quiet": quiet, "brightness": draw.choice([1, 40, 100, 0, 101, 2.5, "40", True, None])}
    return draw.choice([told, told, told, {}, None, 5, "x", [], {"quiet": 3}, {"brightness": 40}])


def trace(seed: int) -> list[list[Any]]:
    """Steps of a screen's life; the box's clock stands at `steady`, the house's at START and more."""
    draw = random.Random(seed)
    steps: list[list[Any]] = []
    steady, began = 0, 0
    for seq in range(40):
        steady += draw.choice([1, 997, 4000, 60_000, draw.randrange(3_000_000)])
        now = START + began + steady + draw.choice([0, 0, 0, 0, -86_400_000, 7_200_000])
        took = draw.choice([0, 30, 2500])
        kind = draw.choice(["feed", "feed", "same", "picture", "picture", "boot", "plays", "flash"])
        match kind:
            case "feed":
                steps.append(["feed", document(draw, seq, now), now, steady, steady + took])
                steady += took
            case "same":
                steps.append(["same", draw.choice([now, now, None]), steady, steady + took])
                steady += took
            case "flash":
                steps.append(["flash", now + draw.choice([0, 30_000, 10**9]), steady])
                steady += draw.randrange(3000)
            case "plays":
                steps.append(["plays", f"batch {seq}", draw.random() < 0.7])
            case "boot":
                steps.append(["boot", steady, 0])
                began, steady = began + steady, 0
            case _:
                pass
        steps.append(["picture", steady])
    return steps


def controller(steps: list[list[Any]]) -> list[Any]:
    player, out = Player("0", 0), list[Any]()
    for number, (kind, *given) in enumerate(steps):
        match kind:
            case "feed":
                try:
                    out.append(player.answered(given[0].encode(), "e", *given[1:]).value)
                except FeedError:
                    out.append("refused true")
            case "same":
                out.append(player.unchanged(given[0], given[1], given[2]).value)
            case "flash":
                player.flashes(given[0], given[1])
                out.append(None)
            case "plays":
                out.append(player.told_of(given[0]))
                player.batch = None if given[1] else player.batch
            case "boot":
                kept = json.loads(json.dumps(player.kept(given[0])))
                player = Player(str(number), given[1], kept)
                out.append("boot")
            case _:
                p = player.picture(given[0])
                first = player.showed(p)
                player.counted(p, given[0])
                told = [p.item, p.rev, p.number, p.of, list(p.lines), p.mark, p.stale, p.until]
                out.append([*told, p.brightness, p.flash, first])
    return out


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_page_shows_what_the_controller_shows() -> None:
    traces = [trace(seed) for seed in range(300)]
    done = subprocess.run(
        [NODE or "", str(TRACE), str(CORE)],
        input="\n".join(map(json.dumps, traces)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(traces)
    shown = 0
    for seed, (steps, answer) in enumerate(zip(traces, answers, strict=True)):
        expected = controller(steps)
        for number, (ours, theirs) in enumerate(zip(expected, answer, strict=True)):
            assert theirs == ours, (seed, number, steps[number])
        shown += sum(type(one) is list and one[0] is not None for one in expected)
    assert shown > 500  # the traces are worth comparing
