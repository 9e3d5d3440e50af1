"""A server whose certificate is of an authority of one's own: every way of asking it trusts the same."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.langfuse_server.connection import LangfuseServer, NoAnswer
from evaluation.langfuse_server.validation import validate
from evaluation.tracing.server import Server, Unavailable
from sqlassay.langfuse import Access
from tests.providers.langfuse_deployed import KEYS, DeployedLangfuse

pytest.importorskip("langfuse", reason="needs the extra langfuse")
x509 = pytest.importorskip("cryptography.x509", reason="makes certificates")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Certificate and key in one file; it is its own authority."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority of our own")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "authority.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def host(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with DeployedLangfuse() as langfuse:
        assert langfuse._server is not None
        langfuse._server.socket = context.wrap_socket(langfuse._server.socket, server_side=True)
        yield f"https://127.0.0.1:{langfuse.port}"


def test_it_is_trusted_when_it_is_named(host: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    result = validate(LangfuseServer(host, KEYS), seconds=10)
    assert [check for check in result.checks if not check.ok] == []
    with Server(Access(host, *KEYS)) as server:
        assert server.takes_lists()


def test_it_is_not_when_it_is_not(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(NoAnswer, match=r"CERTIFICATE_VERIFY_FAILED.*of an authority of your own: SSL_CERT_FILE"):
        LangfuseServer(host, KEYS).request("/api/public/health")
    with (
        Server(Access(host, *KEYS)) as server,
        pytest.raises(Unavailable, match=r"CERTIFICATE_VERIFY_FAILED.*of your own: SSL_CERT_FILE"),
    ):
        server.takes_lists()
