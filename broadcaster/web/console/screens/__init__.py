"""Screens: all of them, one of them, groups, and what may be set."""
