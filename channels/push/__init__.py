"""Phones by push: Firebase Cloud Messaging."""

from channels.push.client import PushGateway, PushSettings

__all__ = ["PushGateway", "PushSettings"]
