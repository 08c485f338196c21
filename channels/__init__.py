"""The roads out: one folder a channel, each with its client, its rendering and its sandbox double."""
