"""The controller's window beside the real web: an alert's own frames on the display, then the idle page."""

import os
import subprocess
from pathlib import Path

from PIL import Image, ImageChops

from broadcaster.player import controller
from broadcaster.player.controller import Store
from broadcaster.web.feeds.polls import FEED_PATH
from channels.led.draw import decode
from tests.display import SIZE, displayed, python
from tests.processes import begin
from tests.unit.broadcaster.web.test_screen_player import put_up, serving
from tests.unit.broadcaster.web.town import Town
from tests.waiting import until


def test_an_alert_comes_on_and_goes(town: Town, tmp_path: Path) -> None:
    key = put_up(town)
    with displayed() as display, serving(town) as server:
        box = begin(
            [
                *(python(), controller.__file__, "--feed", f"http://127.0.0.1:{server.port}{FEED_PATH}"),
                *("--state", str(tmp_path), "--output", "window"),
            ],
            env={"PATH": os.environ["PATH"], "DISPLAY": display.name, "SCREEN_KEY": key},
            stderr=subprocess.PIPE,
            text=True,
        )

        def page(frame: str) -> Image.Image:
            picture = decode(Store(tmp_path).frame(frame) or b"").convert("RGB")
            whole = Image.new("RGB", SIZE)
            whole.paste(picture.resize((768, 256), Image.Resampling.NEAREST), (16, 172))
            return whole

        def is_on(frame: str) -> bool:
            return ImageChops.difference(display.pixels(), page(frame)).getbbox() is None

        try:
            idle = until(lambda: _frames(town, key))[0]
            until(lambda: Store(tmp_path).frame(idle) and is_on(idle))
            alert_id = town.issue(severity="Extreme")
            town.catch_up()
            first = until(lambda: [one for one in _frames(town, key) if one != idle])[0]
            until(lambda: Store(tmp_path).frame(first) and is_on(first))
            town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
            town.catch_up()
            until(lambda: is_on(idle))
        finally:
            box.terminate()
            _, said = box.communicate()
        assert box.returncode == 0, said


def _frames(town: Town, key: str) -> list[str]:
    """The frames that the screen's feed names, the idle page first."""
    told = town.client().get(FEED_PATH, Authorization=f"Bearer {key}").json()
    pages = [page for one in told["items"] for page in one["pages"]]
    return [page["frame"] for page in (told["idle"], *pages)]
