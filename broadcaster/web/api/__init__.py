"""The HTTP API, version 1: a router for each noun."""
