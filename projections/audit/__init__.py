"""Who did what, and when: every event of the log in words."""
