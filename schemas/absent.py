"""Fields that came later are written only where they say something: old bytes stay as they are."""


def absent(value: object) -> bool:
    """Whether it says nothing, for `Field(exclude_if=absent)`. Not where 0 or "" says more than None."""
    return not value
