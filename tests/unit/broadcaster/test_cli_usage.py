"""Wrong words on the command line: one line that names them, and exit code 2."""

import sys

import pytest

from broadcaster.cli.app import main


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    """What it says, on either stream, before it ends with exit code 2."""
    sys.argv = ["broadcaster", *words]
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    return out, err


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "broadcaster: No such command 'nonsense'; see broadcaster --help\n"),
        (
            ["accounts", "managers"],
            "broadcaster: Missing argument 'names'; see broadcaster accounts managers",
        ),
        (["demo", "--subscribers", "0"], "broadcaster: Invalid value for '--subscribers'"),
        (["cap", "check", "/nowhere.xml"], "broadcaster: Invalid value for 'file'"),
    ],
)
def test_what_is_wrong_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    out, err = told(capsys, *words)
    assert err.startswith(said)
    assert (err.count("\n"), out) == (1, "")


def test_no_words_at_all_are_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert "create" in "".join(told(capsys, "keys"))
