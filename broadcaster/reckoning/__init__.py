"""Whom an alert reaches and what it takes, reckoned before it goes out and again years after."""
