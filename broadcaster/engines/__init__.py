"""PostgreSQL and nats-server as children, and the supervisor that keeps everything running."""
