"""Templates and saved sets of areas."""
