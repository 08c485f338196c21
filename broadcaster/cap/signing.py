"""CAP messages signed with XML-DSig (CAP 1.2 §3.3.4.1), where the operator has a key for it.

A signature is kept with its message: whoever asks again, after any change of keys, gets the same bytes.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from psycopg_pool import ConnectionPool
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from broadcaster.settings import SettingsError

CAP_SIGNED_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS cap_signed (
    identifier text PRIMARY KEY,
    message bytea NOT NULL,
    signed_at timestamptz NOT NULL
);
"""
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class SigningKeyError(SettingsError):
    """The file is not what signs: a private key (RSA or EC) and its certificate, in PEM."""


class Signer:
    """Signs with a private key and its certificates. Raises SigningKeyError."""

    def __init__(self, path: Path) -> None:
        try:
            pem = path.read_text(encoding="ascii")
            key = serialization.load_pem_private_key(pem.encode(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise SigningKeyError(f"{path}: holds no private key that can be read") from error
        if _CERTIFICATE not in pem:
            raise SigningKeyError(f"{path}: holds no certificate beside the key")
        if isinstance(key, rsa.RSAPrivateKey):
            method = SignatureMethod.RSA_SHA256
        elif isinstance(key, ec.EllipticCurvePrivateKey):
            method = SignatureMethod.ECDSA_SHA256
        else:
            raise SigningKeyError(f"{path}: the key is neither RSA nor EC")
        self._key = key
        self._certificates = [_CERTIFICATE + part for part in pem.split(_CERTIFICATE)[1:]]
        self._method = method

    def sign(self, message: bytes) -> bytes:
        """The message with an enveloped signature as its last element."""
        signer = XMLSigner(signature_algorithm=self._method)
        root: Any = signer.sign(etree.fromstring(message), key=self._key, cert=self._certificates)
        head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
        return head + etree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n"


class SignedMessages:
    """Signs each message once. Thread-safe; two who sign the same one get what was kept first."""

    def __init__(self, pool: ConnectionPool[Any], signer: Signer) -> None:
        self._pool, self._signer = pool, signer

    def signed(self, identifier: str, message: bytes, at: datetime) -> bytes:
        """The message with its signature."""
        query = "SELECT message FROM cap_signed WHERE identifier = %s"
        with self._pool.connection() as conn:
            kept = conn.execute(query, (identifier,)).fetchone()
        if kept is None:
            fresh = self._signer.sign(message)
            with self._pool.connection() as conn:
                conn.execute(
                    "INSERT INTO cap_signed VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (identifier, fresh, at),
                )
                kept = conn.execute(query, (identifier,)).fetchone()
        assert kept is not None
        return bytes(kept[0])
