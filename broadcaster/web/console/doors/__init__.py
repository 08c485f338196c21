"""Coming in and going out: signing in, one's own account, and forms that outlast a session."""
