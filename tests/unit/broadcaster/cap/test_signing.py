"""XML-DSig on CAP messages: verified by a library, broken by any change, the same bytes for ever."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from psycopg_pool import ConnectionPool
from signxml.exceptions import InvalidSignature
from signxml.verifier import XMLVerifier

from broadcaster.cap.parse import parse
from broadcaster.cap.signing import CAP_SIGNED_DDL, SignedMessages, Signer, SigningKeyError
from tests.unit.broadcaster.cap.told import ALERT

AT = datetime(2026, 7, 10, 2, tzinfo=UTC)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
MAKES: dict[str, Callable[[], PrivateKey]] = {
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
}


def certified(key: PrivateKey) -> str:
    """A key with a certificate of its own, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "canhbao.hanoi.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1000)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return (_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _pem(key: PrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool[Any]]:
    with ConnectionPool[Any](database, min_size=1, open=False) as opened:
        with opened.connection() as conn:
            conn.execute(CAP_SIGNED_DDL)
        yield opened


@pytest.mark.parametrize("kind", sorted(MAKES))
def test_a_signature_holds_and_any_change_breaks_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cap.pem"
    path.write_text(certified(MAKES[kind]()), encoding="ascii")
    signed = Signer(path).sign(ALERT.encode())
    certificate = path.read_text(encoding="ascii").partition("-----BEGIN CERTIFICATE")
    cert = certificate[1] + certificate[2]
    found: Any = XMLVerifier().verify(signed, x509_cert=cert)
    assert found.signed_xml.tag.endswith("}alert")
    # Who does not verify reads the same message.
    assert parse(signed).signed
    assert parse(signed).identifier == parse(ALERT.encode()).identifier
    with pytest.raises(InvalidSignature):
        XMLVerifier().verify(signed.replace(b"Actual", b"Test"), x509_cert=cert)
    last = list(etree.fromstring(signed))[-1]
    assert etree.QName(last).localname == "Signature"


def test_a_message_is_signed_once_whatever_becomes_of_the_key(
    tmp_path: Path, pool: ConnectionPool[Any]
) -> None:
    path = tmp_path / "cap.pem"
    path.write_text(certified(MAKES["ec"]()), encoding="ascii")
    first = SignedMessages(pool, Signer(path)).signed("hn.1", ALERT.encode(), AT)
    path.write_text(certified(MAKES["rsa"]()), encoding="ascii")
    other = SignedMessages(pool, Signer(path))
    assert other.signed("hn.1", ALERT.encode(), AT + timedelta(days=999)) == first
    assert other.signed("hn.2", ALERT.encode(), AT) != first


def test_what_cannot_sign_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "cap.pem"
    with pytest.raises(SigningKeyError, match="no private key"):
        Signer(path)
    path.write_bytes(_pem(MAKES["ec"]()))
    with pytest.raises(SigningKeyError, match="no certificate"):
        Signer(path)
    path.write_bytes(_pem(ed25519.Ed25519PrivateKey.generate()) + b"-----BEGIN CERTIFICATE-----\nx\n")
    with pytest.raises(SigningKeyError, match="neither RSA nor EC"):
        Signer(path)
