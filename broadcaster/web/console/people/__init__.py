"""Who gets in: people and programs, with a second manager."""
