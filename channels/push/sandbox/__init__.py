"""A double of Firebase Cloud Messaging: HTTP/2 over TLS, OAuth2, FCM v1 messages and errors."""

from channels.push.sandbox.behaviour import Behaviour
from channels.push.sandbox.handle import PushSandbox
from channels.push.sandbox.server import run

__all__ = ["Behaviour", "PushSandbox", "run"]
