"""What changes under the eyes of staff: one snapshot for everyone, one stream for each browser."""
