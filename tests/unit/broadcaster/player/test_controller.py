"""The controller's parts: it stands alone, keeps its state whole, draws frames, takes settings."""

import ast
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from broadcaster.cli.screens import screen_app
from broadcaster.player import controller
from broadcaster.player.controller import (
    Backlight,
    Bitmap,
    FeedError,
    FrameBuffer,
    Outcome,
    Picture,
    Player,
    PngFolder,
    SettingError,
    Settings,
    Store,
    decode,
    drawing,
    lettered,
    output,
    parse,
    pause,
)

FILE = Path(controller.__file__)
NOW = 1_786_521_600_000


def body(*items: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"schema": "led-feed/1", "seq": 5, "items": items} | changes).encode()


def item(name: str = "a", **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": name,
        "rev": 1,
        "mode": "rotate",
        "priority": 50,
        "starts_at": NOW - 1000,
        "expires_at": NOW + 60_000,
        "text": "Mưa lớn",
        "pages": [{"ms": 4000, "lines": ["Mưa", "lớn"]}],
    }
    return told | changes


def fed(*items: dict[str, Any], frames: bool = False, **changes: Any) -> Player:
    player = Player("b", 0, frames=frames)
    assert player.answered(body(*items, **changes), '"1"', NOW, 0, 0) is Outcome.NEW
    return player


def test_it_imports_the_standard_library_only_and_runs_alone(tmp_path: Path) -> None:
    tree = ast.walk(ast.parse(FILE.read_text()))
    names = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    tree = ast.walk(ast.parse(FILE.read_text()))
    names |= {node.module or "." for node in tree if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    alone = shutil.copy(FILE, tmp_path)
    said = subprocess.run(
        [sys.executable, "-I", "-S", alone, "--feed", "ftp://x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (2, "screen: feed: an https address is expected\n")


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"{}", b"\xff", body(schema="x"), body(seq="5"), body(items=3)]
)
def test_what_is_no_feed_changes_nothing(bad: bytes) -> None:
    player = fed(item())
    with pytest.raises(FeedError):
        player.answered(bad, "x", NOW, 10, 20)
    assert player.picture(20).item == "a"
    assert player.etag == '"1"'


def test_an_item_that_cannot_be_read_does_not_hide_the_others() -> None:
    feed = parse(body(item("good"), item("bad", starts_at="soon"), item("odd", status="joke"), {}))
    assert [one.id for one in feed.items] == ["good"]
    assert feed.bad == 3


def test_what_is_named_as_cancelled_is_not_shown_even_where_the_feed_still_has_it() -> None:
    assert fed(item(), cancelled=[{"id": "a", "rev": 2}]).picture(0).item is None


def test_a_rehearsal_does_not_hide_what_is_meant() -> None:
    drill = item("drill", mode="preempt", priority=100, status="exercise")
    assert {one.id for one in fed(item(), drill).turns(0)} == {"a", "drill"}
    assert [one.id for one in fed(item("b", mode="preempt"), drill).turns(0)] == ["b"]
    assert fed(drill).picture(0).mark == "DIỄN TẬP"


def test_without_a_known_time_only_what_allows_it_is_shown() -> None:
    kept = fed(item(), item("any", show_if_untrusted_clock=True)).kept(10_000)
    assert Player("b", 11_000, kept).clock.is_trusted
    dark = Player("another", 0, kept)
    assert [one.id for one in dark.live(0)] == ["any"]
    assert dark.live(120_000) == []  # so long that it is over by any clock
    assert dark.picture(0).stale


def test_frames_are_waited_for_a_moment() -> None:
    name = "0" * 64
    pages = [{"lines": ["Mưa"], "frame": name}]
    player = fed(item(pages=pages), frames=True)
    assert player.picture(0).item is None
    assert player.picture(controller.FRAMES_MS).item == "a"
    player.drawn.add(name)
    assert player.picture(1).frame == name
    urgent = fed(item(pages=pages, mode="preempt"), frames=True)
    assert urgent.picture(0).until <= controller.URGENT_MS
    assert urgent.picture(controller.URGENT_MS).item == "a"


def test_polls_spread_and_back_off() -> None:
    player = fed(item())
    assert [pause(player, None, n, 1.0) for n in (1, 2, 6, 99)] == [2, 4, 60, 60]
    assert pause(player, Outcome.SAME, 0, 0.0) == 8
    assert pause(player, Outcome.SAME, 0, 1.0) == 12
    assert pause(fed(item(mode="preempt")), Outcome.SAME, 0, 0.5) == 3
    assert pause(player, Outcome.SAME, 0, 1.0, waited=True) <= 0.1


def test_a_damaged_state_falls_back_to_the_former_without_its_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.load() == {"bounds": None, "etag": ""}
    store.save({"bounds": [1, 2, 3], "etag": "old"})
    store.save({"bounds": [4, 5, 6], "etag": "new"})
    assert store.load() == {"bounds": [4, 5, 6], "etag": "new"}
    whole = (tmp_path / "state").read_bytes()
    for cut in (0, 10, len(whole) - 1):
        (tmp_path / "state").write_bytes(whole[:cut])
        assert Store(tmp_path).load() == {"bounds": None, "etag": ""}
    store.save({"bounds": None, "etag": "next"})
    assert store.load()["etag"] == "next"


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P1", "P4"])
def test_frames_are_drawn_as_pillow_draws_them(mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((37, 11)).rotate(30)
    how: dict[str, Any] = {}
    if mode.startswith("P"):
        picture, how = ramp.quantize(2 ** int(mode[1])), {"bits": int(mode[1])}
    else:
        picture = ramp.convert(mode)
    out = io.BytesIO()
    picture.save(out, "PNG", **how)
    assert bytes(decode(out.getvalue()).rgb) == picture.convert("RGB").tobytes()
    for cut in (0, 20, 60):
        with pytest.raises(ValueError, match="frame"):
            decode(out.getvalue()[:cut])


def test_what_is_drawn_is_png_and_bits() -> None:
    bitmap = lettered(["Đường ngập"], 96, 32)
    with Image.open(io.BytesIO(bitmap.png())) as picture:
        assert picture.convert("RGB").tobytes() == bytes(bitmap.rgb)
        assert Image.frombytes("1", (96, 32), bitmap.mono()).tobytes() == picture.convert("1").tobytes()
    assert bitmap.rgb != lettered(["Duong ngan"], 96, 32).rgb
    assert bitmap.rgb == lettered(["DUONG NGAP"], 96, 32).rgb


def test_a_folder_keeps_the_newest_pictures(tmp_path: Path) -> None:
    folder = PngFolder(tmp_path, most=2)
    for rev in (1, 2, 3):
        folder.show(Picture("../a", rev, 1, 1, ("Mưa",), None, "", stale=False, until=0), None, "m96x32-1")
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["00000002-___a-r2-p1.png", "00000003-___a-r3-p1.png", "current.png"]


def test_a_device_gets_raw_frames(tmp_path: Path) -> None:
    device = tmp_path / "fb"
    device.write_bytes(b"x" * 400)
    FrameBuffer(device, colour=False).show(
        Picture(None, 0, 1, 1, ("Hà Nội",), None, "", stale=True, until=0), None, "m96x32-1"
    )
    written = device.read_bytes()
    assert written[384:] == b"x" * 16
    assert written[383] & 3 == 3  # the corner: the house is silent
    assert isinstance(decode(b"HLF1\0\x60\0\x20\x01\x01" + bytes(6) + written[:384]), Bitmap)


def test_brightness_darkens_pixels_and_never_puts_them_out(tmp_path: Path) -> None:
    dim = Picture(None, 0, 1, 1, ("Hà Nội",), None, "", stale=False, until=0, brightness=1)
    full = drawing(replace(dim, brightness=100), None, "m96x32-rgb")
    assert max(full.rgb) == 255
    half = drawing(replace(dim, brightness=50), None, "m96x32-rgb")
    assert max(half.rgb) == 127
    assert [bool(one) for one in drawing(dim, None, "m96x32-rgb").rgb] == [bool(one) for one in full.rgb]
    device = tmp_path / "fb"
    device.touch()
    FrameBuffer(device, colour=False).show(dim, None, "m96x32-1")
    assert device.read_bytes() == full.mono()
    PngFolder(tmp_path).show(replace(dim, brightness=50), full.png(), "m96x32-rgb")
    assert decode((tmp_path / "current.png").read_bytes()).rgb == half.rgb


def test_a_panel_with_a_brightness_of_its_own_keeps_its_pixels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    level, most = tmp_path / "brightness", tmp_path / "max_brightness"
    level.touch()
    panel = Backlight(PngFolder(tmp_path), level)
    picture = Picture(None, 0, 1, 1, ("Hà Nội",), None, "", stale=False, until=0, brightness=40)
    panel.show(picture, None, "m96x32-rgb")
    assert level.read_text() == "40\n"
    most.write_text("7\n")
    for percent, said in ((50, "3\n"), (1, "1\n"), (100, "7\n")):
        panel.show(replace(picture, brightness=percent), None, "m96x32-rgb")
        assert level.read_text() == said
    level.unlink()
    level.mkdir()
    panel.show(picture, None, "m96x32-rgb")
    assert "brightness cannot be set" in caplog.text
    shown = decode((tmp_path / "current.png").read_bytes())
    assert shown.rgb == drawing(replace(picture, brightness=100), None, "m96x32-rgb").rgb


def test_a_screen_that_makes_itself_known_changes_light_and_dark_for_a_while() -> None:
    player = fed(item(expires_at=NOW + 10**9))
    player.flashes(NOW + 10**8, 0)
    flashes = [player.picture(at).flash for at in range(0, 70_000, 500)]
    assert 0 < sum(flashes) < 70
    assert not any(flashes[-18:])
    assert player.picture(0).until <= 1000
    picture = replace(player.picture(0), flash=True)
    lit, dark = (drawing(replace(picture, flash=one), None, "m96x32-1") for one in (True, False))
    assert [255 - one for one in lit.rgb] == list(dark.rgb)
    stranger = Player("c", 0)
    stranger.flashes(NOW, 0)
    assert not stranger.picture(0).flash


def test_settings_name_what_is_wrong(tmp_path: Path) -> None:
    for feed, key, rule in (
        ("", "k", "https"),
        ("http://example.test/v1/screens/me/feed", "k", "in the clear"),
        ("https://example.test/f", "a\r\nb", "key"),
    ):
        with pytest.raises(SettingError, match=rule):
            Settings(feed, key, "text", tmp_path)
    assert "secret" not in repr(Settings("https://example.test/f", "secret", "text", tmp_path))
    for wrong in ("", "png:", "window:", "windows", f"mono:{tmp_path / 'none'}"):
        with pytest.raises(SettingError, match="output"):
            output(wrong)


def test_the_command_line_names_what_is_wrong(tmp_path: Path) -> None:
    run = CliRunner().invoke
    missing = run(
        screen_app, ["run", "--feed", "https://example.test/f", "--key-file", str(tmp_path / "none")]
    )
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    assert "key file" in missing.stderr
    (tmp_path / "none").write_text("\n")
    with pytest.raises(SettingError, match="holds no key"):
        controller.read_key(tmp_path / "none")
    plain = run(screen_app, ["run", "--feed", "http://example.test/f"], env={"SCREEN_KEY": "secret"})
    assert plain.exit_code == 2
    assert "secret" not in plain.stderr


def test_plays_are_counted_by_version_and_told_until_the_house_has_them() -> None:
    player = fed(item(), item("b"))
    idle = Picture(None, 0, 1, 1, (), None, "", False, 0)
    for on, at in (("a", 0), ("b", 4000), ("a", 8000), ("a", 9500), (None, 10_000), (None, 11_000)):
        picture = Picture(on, 1, 1, 1, (), None, "", False, 0) if on else idle
        player.counted(picture, at)
    told = player.told_of("one")
    assert told
    assert [(one["alert_id"], one["plays"], one["seconds"]) for one in told["plays"]] == [
        ("a", 2, 6),
        ("b", 1, 4),
    ]
    assert told["plays"][0]["last_at"] > told["plays"][0]["first_at"] > "2026-08-12T"
    again = Player("b", 12_000, json.loads(json.dumps(player.kept(12_000))))
    assert again.told_of("two") == told  # under the name it went out with
    again.batch = None
    assert again.told_of("three") is None


def test_what_stays_on_is_counted_on_in_the_next_batch() -> None:
    player = fed(item())
    picture = player.picture(0)
    player.counted(picture, 0)
    player.counted(picture, 3000)
    assert player.told_of("one")
    player.batch = None
    player.counted(picture, 5000)
    player.counted(picture, 9000)
    told = player.told_of("two")
    assert told
    (one,) = told["plays"]
    assert (one["plays"], one["seconds"]) == (0, 4)


def test_nothing_is_counted_before_the_time_is_known() -> None:
    player = Player("c", 0, fed(item(show_if_untrusted_clock=True)).kept(10_000))
    picture = player.picture(0)
    assert picture.item == "a"
    player.counted(picture, 0)
    player.counted(picture, 5000)
    assert player.told_of("one") is None
