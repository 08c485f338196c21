"""Alerts from the first word to the last: written, put up, approved, watched, withdrawn."""
