"""What was found about a message: the name of a rule and what is the matter, in words."""

from typing import NamedTuple


class Finding(NamedTuple):
    """`R-...` breaks a MUST of CAP 1.2; `W-...` is against good practice. Names never change."""

    rule: str
    text: str

    @property
    def is_breach(self) -> bool:
        """Whether it breaks a MUST."""
        return self.rule.startswith("R")
