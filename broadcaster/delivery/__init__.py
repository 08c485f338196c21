"""What the workers ask of the house: who is sent to, at what rate, and what came of it."""
