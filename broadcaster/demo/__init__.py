"""A city being alerted, on one machine, against the sandbox: `broadcaster demo`."""
