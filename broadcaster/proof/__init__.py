"""What shows afterwards that the log is whole, and what stood when: chain, checkpoints, evidence, as-of."""
