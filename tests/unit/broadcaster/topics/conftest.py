"""A house that keeps topics, and the double."""

from collections.abc import Iterator

import pytest

from broadcaster.runtime import House
from channels.push.sandbox import PushSandbox
from tests.house import house


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


@pytest.fixture
def fcm(double: PushSandbox) -> Iterator[PushSandbox]:
    double.members(forget=True)
    yield double
    double.behave()


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database, push_topics=True) as opened:
        yield opened
