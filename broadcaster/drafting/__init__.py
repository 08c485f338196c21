"""Alerts before they are sent: unfinished texts, what a text must hold to, and the files beside it."""
