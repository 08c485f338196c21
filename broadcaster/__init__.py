"""The write model and the top of the house: aggregates, event log, registry, web, runtime."""
