"""What screens show: a feed of bytes for each area and display profile."""
