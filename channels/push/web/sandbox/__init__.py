"""A double of a browser's push service, and of the browsers behind it: it opens what they would."""

from channels.push.web.sandbox.app import serve_browsers
from channels.push.web.sandbox.browser import subscription
from channels.push.web.sandbox.handle import WebPushSandbox

__all__ = ["WebPushSandbox", "serve_browsers", "subscription"]
