"""What a double keeps in its folder: certificates, a service account, its port."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

HOST = "127.0.0.1"
PROJECT = "hanoi-sandbox"


@dataclass(frozen=True)
class Estate:
    """The folder's files. Two lives in one folder have the same certificates, account and port."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self.folder / "ca.pem"

    @property
    def credentials_file(self) -> Path:
        """The service account's key, as Google's console would give it."""
        return self.folder / "service-account.json"

    @property
    def endpoint_file(self) -> Path:
        """Says `url` and `project`; there once the estate is complete."""
        return self.folder / "endpoint.json"

    @property
    def certificate_file(self) -> Path:
        """The server's own certificate."""
        return self.folder / "server.pem"

    @property
    def key_file(self) -> Path:
        """The server's own key."""
        return self.folder / "server.key"

    @property
    def journal_file(self) -> Path:
        """What it answered."""
        return self.folder / "journal"

    @property
    def url(self) -> str:
        """Where it listens."""
        return json.loads(self.endpoint_file.read_text())["url"]

    @property
    def port(self) -> int:
        """Of the URL."""
        return int(self.url.rpartition(":")[2])

    def private_key(self) -> rsa.RSAPrivateKey:
        """The service account's."""
        pem = json.loads(self.credentials_file.read_text())["private_key"]
        key = load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def public_key(self) -> bytes:
        """PEM, to verify what the service account signs."""
        return self.private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token_secret(self) -> bytes:
        """What this double's access tokens are signed with: the same in every life."""
        return bytes.fromhex(json.loads(self.credentials_file.read_text())["private_key_id"])

    @contextmanager
    def held(self) -> Generator[None]:
        """Fills the folder where it is new, and keeps it from a second double.

        Raises BlockingIOError where one holds it already, OSError where another has its port.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self.endpoint_file.exists():
                self._fill()
            # A port that is taken is told of at once, and not as a failure to serve.
            _probe(self.port)
            yield

    def _fill(self) -> None:
        authority = trustme.CA()
        server = authority.issue_cert(HOST, "localhost")
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.certificate_file.write_bytes(b"".join(pem.bytes() for pem in server.cert_chain_pems))
        key = load_pem_private_key(server.private_key_pem.bytes(), password=None)
        write_private(self.key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        url = f"https://{HOST}:{_probe(0)}"
        write_private(self.credentials_file, json.dumps(_service_account(f"{url}/token")).encode())
        draft = self.folder / "endpoint.json.new"
        draft.write_text(json.dumps({"url": url, "project": PROJECT}))
        draft.rename(self.endpoint_file)


def _service_account(token_url: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": f"broadcaster@{PROJECT}.iam.gserviceaccount.com",
        "token_uri": token_url,
    }


def write_private(path: Path, content: bytes) -> None:
    """Writes what only this account may read; never, not for a moment, others."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _probe(port: int) -> int:
    """A free port, or this one where it is free. Raises OSError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return probe.getsockname()[1]
