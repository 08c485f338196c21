"""The Common Alerting Protocol, version 1.2 (OASIS): our alerts out, the alerts of others in."""
