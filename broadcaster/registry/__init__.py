"""The subscriber registry: the one place with personal data, erasable, never in the log."""
