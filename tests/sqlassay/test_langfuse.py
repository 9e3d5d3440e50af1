"""How a Langfuse is reached: whom to trust, which proxy, and what is said when nobody answers."""

from __future__ import annotations

import socket
import ssl
import sys
from urllib.error import URLError

import pytest

from sqlassay.errors import UserError
from sqlassay.langfuse import PUBLIC_KEY, SECRET_KEY, Access, access, http_client, no_answer, require_extra, trusted

httpx = pytest.importorskip("httpx", reason="needs the extra langfuse")
ELSEWHERE = Access("https://langfuse.example.invalid", "pk-lf-1", "sk-lf-2")
OWN = "; if its certificate is of an authority of your own: SSL_CERT_FILE"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "gave no answer within 2 s"),
        (URLError(TimeoutError()), "gave no answer within 2 s"),
        (httpx.ReadTimeout(""), "gave no answer within 2 s"),
        (URLError(ConnectionRefusedError(111, "Connection refused")), "cannot be reached: Connection refused"),
        (httpx.ConnectError("[Errno 111] refused"), "cannot be reached: [Errno 111] refused"),
        (socket.gaierror(-2, "Name or service not known"), "cannot be reached: Name or service not known"),
        (httpx.ReadError(""), "cannot be reached: ReadError"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), f"CERTIFICATE_VERIFY_FAILED] x{OWN}"),
        (URLError(ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] x")), f"FAILED] x{OWN}"),
    ],
)
def test_what_is_said_when_nobody_answers(error: Exception, words: str) -> None:
    assert no_answer(error, 2.0).endswith(words)


def test_a_key_that_can_be_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_KEY, "pk–lf–1")
    monkeypatch.setenv(SECRET_KEY, "sk-lf-2")
    with pytest.raises(UserError, match=f"the key in {PUBLIC_KEY} has characters that no key has"):
        access("http://127.0.0.1:9")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "ftp://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_one_line(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UserError, match=r"the proxy that the environment names cannot be used: .*ALL_PROXY"):
        http_client(ELSEWHERE)
    with http_client(Access("http://127.0.0.1:9", "pk", "sk")):  # to which no proxy leads
        pass


def test_whom_to_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    certifi = pytest.importorskip("certifi")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert len(trusted().get_ca_certs()) > 50
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert trusted().verify_mode is ssl.CERT_REQUIRED


def test_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_extra()
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(UserError, match="needs the extra 'langfuse', which is not installed"):
        require_extra()
