"""Views folded from the event log, one folder each, and the follower that keeps them up to date."""
