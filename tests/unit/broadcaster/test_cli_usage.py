"""Wrong words on the command line: one line that names them, and exit code 2."""

import subprocess
import sys

import pytest


def told(*words: str) -> tuple[str, str]:
    """What it says, on either stream, before it ends with exit code 2."""
    argv = [sys.executable, "-m", "broadcaster", *words]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    return ended.stdout, ended.stderr


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
def test_what_is_wrong_is_one_line(words: list[str], said: str) -> None:
    out, err = told(*words)
    assert err.startswith(said)
    assert (err.count("\n"), out) == (1, "")


def test_no_words_at_all_are_answered_with_help() -> None:
    assert "create" in "".join(told("keys"))
