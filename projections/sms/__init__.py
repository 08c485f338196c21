"""SMS by provider, what the network said became of them, and what bodies spent on a day."""
