"""The browser player as it is served: its modules, its worker, its policy."""

import re

from tests.unit.broadcaster.web.town import Town

HTML = {"accept": "text/html"}


def test_the_page_runs_its_own_modules_and_no_others(town: Town) -> None:
    found = town.client().get("/screens/player", **HTML)
    assert found.status_code == 200
    (policy,) = found.headers.get_list("content-security-policy")
    assert policy == (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self';"
        " worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert found.headers["x-content-type-options"] == "nosniff"
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", found.text)
    assert [inside for _, inside in scripts] == [""]
    assert not re.search(r"\son\w+=|style=", found.text)
    source = re.search(r'src="([^"]+player\.js)"', found.text)
    assert source
    module = town.client().get(source[1])
    assert module.headers["content-type"].startswith("text/javascript")
    core = town.client().get(source[1].replace("player.js", "player_core.js"))
    assert core.status_code == 200
    assert "innerHTML" not in module.text + core.text


def test_the_page_speaks_both_languages(town: Town) -> None:
    assert "Bắt đầu hiển thị" in town.client().get("/screens/player", **HTML).text
    assert "Start showing" in town.client().get("/screens/player?lang=en", **HTML).text


def test_the_worker_is_for_the_players_pages(town: Town) -> None:
    worker = town.client().get("/screens/sw.js")
    assert (worker.status_code, worker.headers["cache-control"]) == (200, "no-cache")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert len(worker.headers.get_list("content-security-policy")) == 1
    assert "/v1/" not in worker.text  # never a feed


def test_other_pages_keep_the_strict_policy(town: Town) -> None:
    policy = town.client().get("/accessibility", **HTML).headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "script-src" not in policy[0]
