"""Connection strings: taken apart, each part named when it is wrong, and never shown with their password."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_SECRET = re.compile(r"(?P<user>(?:^(?!.*//)|//)[^/?#:@]*)[:@].*@", re.DOTALL)
"""From the user to the last `@`, whatever is between: rather too much than too little."""
_NAMED_SECRET = re.compile(r"(?P<name>\w*(?:password|passwd|pwd|secret|token)\w*\s*=\s*)[^&\s]+", re.IGNORECASE)
_PORTS = range(1, 65536)


class DsnError(ValueError):
    """A part of a connection string is wrong; the message names it and never holds the password."""


@dataclass(frozen=True)
class Dsn:
    """Where a server is, who asks, and for what.

    Attributes:
        host: A name or an address.
        port: A TCP port.
        user: Who connects; empty where the server is to decide.
        password: Empty where there is none.
        path: The parts of the path: a database, or a catalog and a schema.
        options: What follows the question mark.
    """

    host: str
    port: int
    user: str
    path: tuple[str, ...]
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        schemes: Collection[str],
        port: int,
        parts: Sequence[str],
        options: Mapping[str, Collection[str]] | None = None,
    ) -> Dsn:
        """Take a connection string apart: `[scheme:]//[user[:password]@]host[:port]/path[?option=value]`.

        Args:
            text: The string. Special characters in its parts are percent-encoded.
            schemes: The words that may stand before the colon, with or without a driver (`mysql+pymysql`).
            port: The port where none is given.
            parts: What the path names, in this order.
            options: The options that there are, each with the values that it may have, in lower case; any if empty.

        Raises:
            DsnError: A part of it is wrong.
        """
        scheme = next(iter(schemes))
        try:
            split = urlsplit(text)
            given_port = split.port
        except ValueError as error:
            if "ort" in str(error):
                raise DsnError(f"its port is no number from 1 to 65535 in {shown(text)}") from None
            raise DsnError(f"its host cannot be read in {shown(text)}") from None
        if split.scheme and split.scheme.partition("+")[0] not in schemes:
            raise DsnError(f"its scheme is {split.scheme!r}, and {scheme!r} is wanted, in {shown(text)}")
        if not split.hostname:
            raise DsnError(f"it names no host: {shown(text)} is not {scheme}://user:password@host/…")
        if split.netloc.count("@") > 1 or "@" in split.path + split.query or re.search(r"\s", text):
            raise DsnError(f"it has a blank, or an '@' too many, in {shown(text)}; write %20 and %40")
        if split.fragment:
            raise DsnError(f"it has a '#' in {shown(text)}; write %23 for one that belongs to a part")
        if given_port is not None and given_port not in _PORTS:
            raise DsnError(f"its port is {given_port}, and 1 to 65535 is wanted, in {shown(text)}")
        path = tuple(unquote(part) for part in split.path.strip("/").split("/") if part)
        if len(path) < len(parts):
            raise DsnError(f"its path names no {parts[len(path)]} in {shown(text)}")
        if len(path) > len(parts):
            raise DsnError(f"its path is {split.path}, and names more than a {' and a '.join(parts)}, in {shown(text)}")
        return cls(
            host=split.hostname,
            port=given_port or port,
            user=unquote(split.username or ""),
            password=unquote(split.password or ""),
            path=path,
            options=_options(split.query, options or {}, text),
        )

    def __str__(self) -> str:
        """The connection string without its scheme, and with its password hidden."""
        user = quote(self.user, safe="") + (":***" if self.password else "") + "@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = "&".join(f"{name}={value}" for name, value in self.options.items())
        path = "/".join(quote(part, safe="") for part in self.path)
        return f"//{user}{host}:{self.port}/{path}{'?' if options else ''}{options}"


def _options(query: str, known: Mapping[str, Collection[str]], text: str) -> dict[str, str]:
    found = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in found.items():
        if name not in known:
            names = ", ".join(sorted(known)) or "there are none"
            raise DsnError(f"it has an unknown option {name!r} (known: {names}) in {shown(text)}")
        if known[name]:
            found[name] = value.lower()
            if found[name] not in known[name]:
                wanted = ", ".join(known[name])
                raise DsnError(f"its {name} is {value!r}, and one of {wanted} is wanted, in {shown(text)}")
    return found


def shown(text: str) -> str:
    """A connection string, or text that holds one, with the password hidden."""
    return _NAMED_SECRET.sub(r"\g<name>***", _SECRET.sub(r"\g<user>:***@", text))
