"""A browser by a name that people know, from what it calls itself. Nothing is decided by it."""

import re

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""The first that is found: most call themselves by the names of others too."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def agent_name(said: str) -> str:
    """Browser and system; what it says, shortened, where neither is known; empty where it says nothing."""
    browser = next((name for token, name in _BROWSERS if re.search(rf"\b{token}/", said)), "")
    system = next((name for token, name in _SYSTEMS if token in said), "")
    return ", ".join(filter(None, (browser, system))) or said[:_LONGEST]
