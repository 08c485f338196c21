"""Whom a limit by address is for."""

from ipaddress import ip_address, ip_network


def neighbourhood(address: str) -> str:
    """Whom a limit is for: an IPv4 address, or the /64 that one IPv6 customer has at the least."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(known) if known.version == 4 else str(ip_network((known, 64), strict=False))  # noqa: PLR2004
