"""What screens need beside their feed: pairing, keys, and word of how they are."""
