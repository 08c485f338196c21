"""Whom each alert reached: receipts counted by alert, version and channel."""
