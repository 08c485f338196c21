"""Our four top-level names are ordinary words: nobody else may own them in our environment."""

from importlib.metadata import packages_distributions

import pytest


@pytest.mark.parametrize("name", ["broadcaster", "channels", "projections", "schemas"])
def test_no_other_distribution_owns_our_names(name: str) -> None:
    # An editable install lists no owner; a wheel lists ours.
    assert set(packages_distributions().get(name) or []) <= {"hanoi-alert-broadcaster"}
