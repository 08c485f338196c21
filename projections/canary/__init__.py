"""Whether the road works: a test item for each channel and lane every few minutes, and when it arrived."""
