"""Numbers that a phone calls: found at the head of a contact, and nothing else is."""

import pytest

from broadcaster.web.dial import dial


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("1022 nhánh 8", '<a href="tel:1022">1022</a> nhánh 8'),
        ("112", '<a href="tel:112">112</a>'),
        ("024 3825 3536 (trực ban)", '<a href="tel:02438253536">024 3825 3536</a> (trực ban)'),
        ("+84-24-3825.3536", '<a href="tel:+842438253536">+84-24-3825.3536</a>'),
        ("Tổng đài 1022", "Tổng đài 1022"),
        ("115 <b>", '<a href="tel:115">115</a> &lt;b&gt;'),
        ("", ""),
    ],
)
def test_a_number_it_begins_with_is_a_link(contact: str, shown: str) -> None:
    assert dial(contact) == shown
