"""Parts of pages that say the same to everyone: drawn once for what they say, not once for each reader.

A key tells all that a part depends on but the language, which is added here. So nobody is ever shown what
was drawn for someone with other rights: a part of other words has another key. What is a secret, or belongs
to one reader (a form with its token, what he may do), has no place in such a part.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from broadcaster.web import i18n

MOST = 48
"""Parts that are kept; the longest unused goes first. A table of the city is a third of a megabyte."""

T = TypeVar("T")


class Fragments:
    """Those of one application. Thread-safe: at worst two draw the same."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.made = 0
        """How often something was drawn or reckoned."""

    def value(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for the key, which must tell all that it is made of."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("T", self._kept[key])
        made = make()
        with self._lock:
            self.made += 1
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def part(self, *key: Hashable, caller: Callable[[], str]) -> str:
        """For templates: `{% call fragments.part("name", key) %}...{% endcall %}`."""
        return self.value((i18n.language(), *key), caller)
