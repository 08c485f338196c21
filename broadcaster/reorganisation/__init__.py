"""A new edition of the area register: described, planned, told about, applied."""
