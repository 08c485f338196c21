"""The key files that every process of a house must share: there before it starts, never made twice.

A key made afresh by each process is worse than none: screens refuse what a new feed key signs, and second
factors that a lost accounts key sealed are gone. So only a trial house makes its own.
"""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from broadcaster.accounts.sealing import KEY_BYTES
from broadcaster.engines.datafolder import kept
from broadcaster.keys.feed import FeedKey
from broadcaster.proof.checkpoint import load_key, make_key
from broadcaster.settings import PREFIX, Settings, SettingsError


class Wanted(NamedTuple):
    """A key file, by the setting that names it."""

    setting: str
    path: Path


def own(settings: Settings) -> list[Wanted]:
    """Those that a house makes for itself: it seals, signs feeds and signs checkpoints with them."""
    return [
        Wanted("ACCOUNTS_KEY", settings.accounts_key_path),
        Wanted("FEED_KEY", settings.feed_key_path),
        Wanted("CHECKPOINT_KEY", settings.checkpoint_key_path),
    ]


def wanted(settings: Settings) -> list[Wanted]:
    """Those without which a house must not run: what seals, what signs feeds, what is named."""
    named = {
        "CHECKPOINT_KEY": settings.checkpoint_key,
        "VAPID_KEY": settings.vapid_key,
        "CAP_KEY": settings.cap_key,
    }
    return [*own(settings)[:2], *(Wanted(name, path) for name, path in named.items() if path is not None)]


def check(settings: Settings) -> None:
    """Refuses to run a house with real providers where a key file is missing, empty or not readable.

    Raises SettingsError, which names each of them.
    """
    if settings.providers == "sandbox":
        return
    faults = list(_faults(settings))
    if faults:
        raise SettingsError("; ".join(faults))
    accounts_key(settings)
    feed_key(settings)


def make(settings: Settings) -> list[Wanted]:
    """Makes the keys that a house makes for itself, where there are none; answers to which it made.

    Raises SettingsError where one cannot be written, or what is there is no key.
    """
    missing = [one for one in own(settings) if not one.path.exists()]
    _sealing(settings.accounts_key_path)
    make_key(settings.feed_key_path)
    make_key(settings.checkpoint_key_path)
    return missing


def feed_key(settings: Settings) -> FeedKey:
    """The key that signs feeds; a trial house makes it once. Raises SettingsError."""
    path = settings.feed_key_path
    return FeedKey(load_key(path)) if settings.providers == "real" else FeedKey.kept(path)


def accounts_key(settings: Settings) -> bytes:
    """The 32 bytes that seal second factors and screens' signing keys; a trial house makes them once.

    Raises SettingsError where the file is missing in a house with real providers, or holds something else.
    """
    path = settings.accounts_key_path
    if settings.providers == "real":
        return _decoded(path, _text(Wanted("ACCOUNTS_KEY", path)))
    return _sealing(path)


def _sealing(path: Path) -> bytes:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = kept(path, lambda: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    except OSError as error:
        raise SettingsError(f"{PREFIX}ACCOUNTS_KEY: cannot make {path} ({error.strerror})") from None
    return _decoded(path, text)


def _decoded(path: Path, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        raise SettingsError(f"{PREFIX}ACCOUNTS_KEY: {path} is not base64") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{PREFIX}ACCOUNTS_KEY: {path} holds {len(key)} bytes, not {KEY_BYTES}")
    return key


def _faults(settings: Settings) -> Iterator[str]:
    for one in wanted(settings):
        try:
            _text(one)
        except SettingsError as error:
            yield str(error)


def _text(one: Wanted) -> str:
    name = PREFIX + one.setting
    try:
        text = one.path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise SettingsError(
            f"{name}: {one.path} is missing; it is made once, by deploy/make-secrets or the `make-keys` "
            "command, and every process must have the same"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: cannot read {one.path} ({type(error).__name__})") from None
    if not text:
        raise SettingsError(f"{name}: {one.path} is empty")
    return text


__all__ = ["Wanted", "accounts_key", "check", "feed_key", "make", "own", "wanted"]
