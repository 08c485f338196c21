"""Parts of templates that pages share: imported without a context they are made once, for every reader."""

from importlib.resources import files

import pytest
from jinja2 import meta, nodes

from broadcaster.web.templating import environment

ROOT = files("broadcaster.web") / "templates"
ALL = sorted(
    [each.name for each in ROOT.iterdir() if each.name.endswith(".html")]
    + [f"console/{each.name}" for each in (ROOT / "console").iterdir() if each.name.endswith(".html")]
)


def parsed(name: str) -> nodes.Template:
    return environment().parse((ROOT / name).read_text())


def imports(name: str, *, with_context: bool) -> set[str]:
    found = parsed(name).find_all((nodes.Import, nodes.FromImport))
    named = [each.template for each in found if each.with_context is with_context]
    return {each.value for each in named if isinstance(each, nodes.Const)}


SHARED = sorted({each for name in ALL for each in imports(name, with_context=False)})


def test_words_are_shared() -> None:
    assert {"words.html", "console/words.html"} <= set(SHARED)


@pytest.mark.parametrize("name", SHARED)
def test_what_is_shared_knows_nothing_of_who_reads(name: str) -> None:
    tree = parsed(name)
    assert meta.find_undeclared_variables(tree) <= set(environment().globals)
    # A word that was put into a name at the top would stay in the language of the first reader.
    kept = [each for each in tree.body if isinstance(each, nodes.Assign | nodes.AssignBlock)]
    assert [each for each in kept if list(each.find_all(nodes.Call))] == []
    # It would be made anew within each reader's page, and take what it imports along.
    assert imports(name, with_context=True) == set()


@pytest.mark.parametrize("name", ALL)
def test_a_part_is_shared_wherever_it_is_imported(name: str) -> None:
    assert imports(name, with_context=True).isdisjoint(SHARED)
