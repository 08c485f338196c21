"""Names of FCM topics."""

import re

from schemas.content import Language

_NAME = re.compile(r"[a-zA-Z0-9_.~%-]{1,900}")


def topic_of(area: str, language: Language) -> str:
    """The topic of those with their home in the area who read the language: each phone is in one.

    By language, as a message has one text; by no platform, as it has a part for each.
    """
    return checked(f"hn-{area}-{language}")


def checked(topic: str) -> str:
    """The topic. Raises ValueError where FCM has no such name."""
    if not _NAME.fullmatch(topic):
        raise ValueError("topic: must be letters, digits and -_.~% only")
    return topic
