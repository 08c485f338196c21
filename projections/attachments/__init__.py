"""Which files issued alerts name: only those are public."""
