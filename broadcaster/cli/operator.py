"""Who acts where a command is given on the machine itself: the operator, unless another is named."""

from typing import Annotated

import typer

from broadcaster.settings import SettingsError
from schemas.events import Actor

NAME = 120
"""Most characters of an account."""
OPERATOR = "system:operator"

ByOption = Annotated[str, typer.Option("--by", help="Who asks for it, for the log.")]


def operator(by: str) -> Actor:
    """As the log knows it. Raises SettingsError."""
    if not 1 <= len(by) <= NAME:
        raise SettingsError(f"--by: 1 to {NAME} characters")
    return Actor(account=by)
