"""Subscriptions as text, and the hosts that may be sent to."""

import pytest

from channels.push.web.sandbox.browser import subscription
from schemas.web_push import SERVICES, Services, SubscriptionError, parsed

GOOD = subscription("https://fcm.googleapis.com", "one")
KEYS = GOOD.text.partition("|")[2]


def test_text_and_back() -> None:
    assert parsed(GOOD.text) == GOOD
    assert (GOOD.origin, GOOD.path) == ("https://fcm.googleapis.com", "/push/one")
    assert "push" not in repr(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://x.example/y",
        f"http://x.example/y|{KEYS}",
        f"https://x.example|{KEYS}",
        f"https:///y|{KEYS}",
        f"https://a@x.example/y|{KEYS}",
        f"https://x.example/y#z|{KEYS}",
        f"https://fcm.googleapis.com\\@evil.example/y|{KEYS}",
        f"https://x.example:99999/y|{KEYS}",
        f"https://x.example/a b|{KEYS}",
        f"{GOOD.text}|x",
        GOOD.text[:-4],
        GOOD.text.replace("|B", "|A", 1),
    ],
)
def test_what_is_no_subscription(text: str) -> None:
    with pytest.raises(SubscriptionError) as caught:
        parsed(text)
    assert "example" not in str(caught.value), "the text is personal"


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", True),
        ("https://FCM.googleapis.com:443/x", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/x", True),
        ("https://web.push.apple.com/x", True),
        ("https://wns2-sg2p.notify.windows.com/w/?token=x", True),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://evilpush.apple.com.example/x", False),
        ("https://xpush.apple.com/x", False),
        ("https://push.apple.com/x", False),
        ("https://127.0.0.1/x", False),
        ("https://[::1]/x", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://localhost/x", False),
    ],
)
def test_known_services_alone(endpoint: str, allowed: bool) -> None:
    assert Services.of(SERVICES).allows(endpoint) is allowed


@pytest.mark.parametrize("text", ["*", "https://x.example", "x", "*.x", "a b.example", "*.*.example"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        Services.of(text)


def test_a_port_is_named() -> None:
    sandbox = Services.of("127.0.0.1:4433")
    assert sandbox.allows("https://127.0.0.1:4433/x")
    assert not sandbox.allows("https://127.0.0.1:4434/x")
    assert not sandbox.allows("https://127.0.0.1/x")
    assert not Services().allows("https://fcm.googleapis.com/x")
