"""What every process sets up for itself: its log, its clock, its memory."""
