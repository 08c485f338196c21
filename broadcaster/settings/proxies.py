"""A proxy that the environment asks for and push cannot use: said at the start, not passed by."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_ASKED = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_EXEMPT = ("NO_PROXY", "no_proxy")
TOKEN_HOST = "oauth2.googleapis.com"  # noqa: S105 (a host, of which FCM's access tokens come)
FCM_HOST = "fcm.googleapis.com"


class ProxyError(Exception):
    """The text names the variable and the way out; it never shows the proxy's address and password."""


def refuse_proxy(env: Mapping[str, str], fcm_url: str) -> None:
    """Raises ProxyError where the way to FCM would lead through a proxy."""
    asked = next((name for name in _ASKED if env.get(name)), None)
    if asked is None:
        return
    host = urlsplit(fcm_url).hostname or FCM_HOST
    hosts = [host, TOKEN_HOST] if host == FCM_HOST else [host]
    exempt = [entry for name in _EXEMPT for entry in env.get(name, "").split(",")]
    if missing := [each for each in hosts if not any(_covers(entry, each) for entry in exempt)]:
        raise ProxyError(
            f"{asked}: push goes through no proxy; let {' and '.join(missing)} through the firewall "
            "and name it in NO_PROXY, or unset the proxy"
        )


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of NO_PROXY is about the host: all, the host itself, or a domain above it."""
    name = entry.strip().rpartition("@")[2].partition(":")[0].lstrip(".").lower()
    return name == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))
