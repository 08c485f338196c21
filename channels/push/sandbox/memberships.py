"""The double's Instance ID service: which phones are subscribed to which topic, while it lives."""

from collections import defaultdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from channels.push.sandbox.wire import Asked

ADD, REMOVE = "/iid/v1:batchAdd", "/iid/v1:batchRemove"
PATHS = (ADD, REMOVE)
MOST = 1000
ERRORS = {"gone-": "NOT_FOUND", "bad-": "INVALID_ARGUMENT", "never-": "INTERNAL"}
"""What is said of an address that begins so; of "busy-" INTERNAL, once for each topic."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    to: Annotated[str, StringConstraints(pattern=r"^/topics/[a-zA-Z0-9_.~%-]{1,900}$")]
    registration_tokens: list[Annotated[str, StringConstraints(min_length=1)]]


class Memberships:
    """Topics and the addresses in them."""

    def __init__(self) -> None:
        self._of: defaultdict[str, set[str]] = defaultdict(set)
        self._busy: set[tuple[str, str]] = set()

    def told(self, *, forget: bool = False) -> dict[str, list[str]]:
        """The last six characters of each address, by topic that has any; and then nobody is in one."""
        found = {topic: sorted(each[-6:] for each in self._of[topic]) for topic in sorted(self._of)}
        if forget:
            self._of.clear()
            self._busy.clear()
        return {topic: members for topic, members in found.items() if members}

    def change(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Does what a call asks; answers its status and content."""
        if asked.headers.get("access_token_auth") != "true":
            return 401, {"error": "Unauthorized"}
        try:
            call = _Asked.model_validate_json(asked.body)
        except ValidationError:
            return 400, {"error": "InvalidArgument"}
        if not 0 < len(call.registration_tokens) <= MOST:
            return 400, {"error": "InvalidNumberOfTokens"}
        topic, adds = call.to.removeprefix("/topics/"), asked.path == ADD
        return 200, {"results": [self._one(topic, each, adds=adds) for each in call.registration_tokens]}

    def _one(self, topic: str, address: str, *, adds: bool) -> dict[str, str]:
        prefix = address.partition("-")[0] + "-"
        if prefix == "busy-" and (topic, address) not in self._busy:
            self._busy.add((topic, address))
            return {"error": "INTERNAL"}
        if error := ERRORS.get(prefix):
            return {"error": error}
        (self._of[topic].add if adds else self._of[topic].discard)(address)
        return {}
