"""What screens poll: their feeds, ready in memory, and the way from a socket to them."""
