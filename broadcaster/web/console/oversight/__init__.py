"""What oversight reads: the cadence, the audit log, reach, what was given up, how the house is."""
