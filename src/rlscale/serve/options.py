"""How the page is served: where, to whom, and within which limits."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass, field
from hashlib import sha256

from rlscale.errors import InputError

__all__ = ["Limits", "ServeOptions"]

#: A token shorter than this can be guessed.
_SHORTEST = 16


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a client may cost.

    Parameters
    ----------
    connections : int
        Open at once; further ones get 503.
    streams : int
        Of events, open at once.
    body : int
        Bytes of a request.
    head : int
        Bytes of its first line and headers.
    seconds : float
        For a client to send a whole request, and to take the next 16 KiB of an answer.
    """

    connections: int = 512
    streams: int = 200
    body: int = 4096
    head: int = 16384
    seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How the page is served.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        0 takes any that is free.
    token : str, optional
        What a client must show, of at least 16 characters; needed where ``host`` is no loopback address.
    actions : bool
        Whether ``hold``, ``resume`` and ``pin`` may be said from the page; needs a token.
    interval : float
        Seconds between looks at the sources.
    limits : Limits

    Raises
    ------
    InputError
        A token that is missing, too short, or has letters that no header can carry.

    Examples
    --------
    >>> ServeOptions().local
    True
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = field(default=None, repr=False)
    actions: bool = False
    interval: float = 0.5
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        how = "set RLSCALE_TOKEN, or give a file with --token-file"
        if self.token is None and not self.local:
            raise InputError(f"--host {self.host} can be reached from other machines and needs a token; {how}")
        if self.token is None and self.actions:
            raise InputError(f"--allow-actions needs a token, so that no other program can act; {how}")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            what = "several lines" if "\n" in self.token else "letters that are not ASCII, or invisible ones"
            raise InputError(
                f"the token has {what}, which no header can carry; {how} that holds one line of plain letters, digits "
                "and signs"
            )
        if self.token is not None and len(self.token.strip()) < _SHORTEST:
            raise InputError(
                f"the token has {len(self.token.strip())} characters and could be guessed; give {_SHORTEST} or more, "
                "such as the output of: python -c 'import secrets; print(secrets.token_urlsafe())'"
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def name(self) -> str:
        """The host as it stands in an address: IPv6 in brackets."""
        bare = self.host.strip("[]").lower()
        return f"[{bare}]" if ":" in bare else bare

    def address(self, port: int) -> str:
        """Return the address of the page at a port.

        Examples
        --------
        >>> ServeOptions(host="::1").address(8765)
        'http://[::1]:8765/'
        """
        return f"http://{self.name}:{port}/"

    @property
    def cookie(self) -> str:
        """What the cookie of a browser that has shown the token says; the token cannot be told from it."""
        return hmac.new((self.token or "").encode(), b"rlscale page", sha256).hexdigest()
