"""Every alert's current standing, and what is live."""
