"""Where a Langfuse server is, the keys to it, and how it is reached: the same for all that speak to one.

Three ways lead there, for three needs. Runs are copied with requests of our own, for every answer has to say what
arrived. Prompts, and the trace that is written to try a server, go through the SDK's client of its API. What starts and
watches a server makes do with Python alone. What they share is here: address, keys, certificates, proxies, seconds, and
what is said when nobody answers.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlassay.errors import UserError
from sqlassay.secrets import conceal, find_key, setting, without
from sqlassay.secrets_file import checked

if TYPE_CHECKING:
    import ssl

    import httpx
    from langfuse.api import LangfuseAPI

HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""The variables that say where the server is; the second is the older name."""
PUBLIC_KEY = "LANGFUSE_PUBLIC_KEY"
SECRET_KEY = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable
SECONDS = 10.0
"""That an answer may take."""
ONCE: Any = {"max_retries": 0}
"""The option of the SDK by which a request is made once."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_EXTRA = ("langfuse", "httpx", "opentelemetry")
"""What the extra brings."""
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables that name the certificate authorities that are trusted."""


@dataclass(frozen=True)
class Access:
    """A server and a project of it.

    Attributes:
        host: The address, without a slash at its end.
        public_key: Names the project.
        secret_key: Goes with it.
    """

    host: str
    public_key: str
    secret_key: str = field(repr=False)


def base_url(host: str) -> str:
    """An address of a server, without a slash at its end.

    Raises:
        UserError: It is none, or has a user or a password in it: it is written down and shown, keys are not.
    """
    try:
        parts = urlsplit(host)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        shown = repr(host) if "@" not in host else "the address"
        raise UserError(f"{shown} is no base URL of Langfuse", remedy=f"check {HOSTS[0]}")
    if parts.username or parts.password:
        raise UserError("the base URL of Langfuse has a user or a password in it", remedy="give the keys apart")
    return host.rstrip("/")


def is_local(host: str) -> bool:
    """Whether a server is on this machine, where no proxy leads."""
    return urlsplit(host).hostname in _LOOPBACK


def configured_host() -> str | None:
    """Where the server is, as the environment, `.env` or the secrets file says; `None` when none of them does.

    Raises:
        UserError: A file cannot be used.
    """
    return next((found.rstrip("/") for found in map(setting, HOSTS) if found), None)


def access(host: str | None = None, *, public_key: str = PUBLIC_KEY, secret_key: str = SECRET_KEY) -> Access:
    """What is needed to send something.

    Args:
        host: The address; what is configured unless given. There is no other default: what a run holds goes nowhere
            that nobody named.
        public_key: The variable that holds the public key.
        secret_key: The variable that holds the secret key.

    Raises:
        UserError: The address or a key is missing, or the address is none.
    """
    where = host or configured_host()
    if not where:
        raise UserError("no address of Langfuse", remedy=f"set {HOSTS[0]}, such as http://localhost:3000")
    names = (public_key, secret_key)
    return Access(base_url(where), *(checked(find_key("Langfuse", name), name) for name in names))


def require_extra() -> None:
    """See to it that the extra is installed.

    Raises:
        UserError: It is not.
    """
    if any(find_spec(name) is None for name in _EXTRA):
        raise UserError(
            "Langfuse needs the extra 'langfuse', which is not installed", remedy="pip install 'sqlassay[langfuse]'"
        )


def http_client(to: Access, *, seconds: float = SECONDS) -> httpx.Client:
    """A client with the keys.

    Args:
        to: Whom it is for.
        seconds: That an answer may take.

    Raises:
        UserError: The extra is not installed, or a proxy that the environment names cannot be used.
    """
    require_extra()
    import httpx

    conceal(b64encode(f"{to.public_key}:{to.secret_key}".encode()).decode())  # as it is sent, and may be repeated
    try:
        return httpx.Client(
            auth=(to.public_key, to.secret_key),
            timeout=seconds,
            headers={"x-langfuse-public-key": to.public_key},
            trust_env=not is_local(to.host),
            verify=trusted(),
        )
    except (ImportError, ValueError) as error:
        raise UserError(
            f"the proxy that the environment names cannot be used: {without(str(error))}",
            remedy="check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or name the server in NO_PROXY",
        ) from None


@contextmanager
def sdk(to: Access, *, seconds: float = SECONDS) -> Iterator[LangfuseAPI]:
    """The SDK's client of the API; each of its methods takes `ONCE`, or it would ask again by itself.

    Args:
        to: Whom it is for.
        seconds: That an answer may take.

    Raises:
        UserError: As `http_client`.
    """
    with http_client(to, seconds=seconds) as http:
        from langfuse.api import LangfuseAPI

        yield LangfuseAPI(
            base_url=to.host,
            x_langfuse_public_key=to.public_key,
            username=to.public_key,
            password=to.secret_key,
            httpx_client=http,
        )


def trusted() -> ssl.SSLContext:
    """The certificate authorities that are trusted: those of the environment, else the machine's and certifi's."""
    import ssl

    context = ssl.create_default_context()
    if not any(os.environ.get(name) for name in _AUTHORITIES):
        with suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


def no_answer(error: Exception, seconds: float) -> str:
    """Why there was no answer, in words that go on after the name of the server.

    Args:
        error: Of httpx, or of Python itself.
        seconds: That an answer could take.
    """
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
        return f"gave no answer within {seconds:g} s"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    own = "; if its certificate is of an authority of your own: SSL_CERT_FILE" if "CERTIFICATE" in str(cause) else ""
    return f"cannot be reached: {without(said) or type(cause).__name__}{own}"
