"""Who signs in to the console: passwords, second factors, sessions. What they may do is in the log."""
