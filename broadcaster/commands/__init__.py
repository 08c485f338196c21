"""The commands: each loads what it needs, lets the aggregate decide, and appends what it decided."""
