"""The address of a webhook: checked, and never shown but for its host, since its path may be the secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from rlscale.errors import InputError

__all__ = ["TOKEN", "WebhookAddress", "webhook_address"]

#: Variable of the environment that holds what is sent as ``Authorization: Bearer``.
TOKEN = "RLSCALE_WEBHOOK_TOKEN"


@dataclass(frozen=True)
class WebhookAddress:
    """Where alarms are posted to.

    Parameters
    ----------
    url : str
        The whole of it; in no message, and not in ``repr``.
    host : str
        Scheme, host and port: all that is ever shown.
    token : str, optional
    """

    url: str = field(repr=False)
    host: str
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.host


def webhook_address(url: str, token: str | None = None) -> WebhookAddress:
    """Return the address of a webhook.

    Raises
    ------
    InputError
        No http or https address, one with a password in it, or a token that is not to be sent there.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may quote the address
        raise InputError("--webhook is no address; give https://HOST/PATH") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError("--webhook is no http or https address; give https://HOST/PATH")
    if any(ord(each) <= 32 or ord(each) > 126 for each in url.strip()):
        raise InputError("--webhook holds spaces or characters that no address has; write them as %XX")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"--webhook holds a user or password; give the address without, and the secret in {TOKEN}")
    shown = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"
    if token is not None and (not token.isascii() or not token.isprintable() or not token.strip()):
        raise InputError(f"{TOKEN} is no token: it is empty, or holds characters that no header may hold")
    if token is not None and parts.scheme == "http" and not _here(host):
        raise InputError(f"{TOKEN} would be sent to {shown} for all to read; give an https address")
    return WebhookAddress(url.strip(), shown, token)


def _here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
