"""Network settings, the same for both clients: trusted certificates and the proxy, from arguments and the environment."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .errors import InputValidationError

CERTIFICATES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Environment variables with the path of a file of certificates, in the order of precedence."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Settings by which a server is reached.

    ca_file  a file or folder with the certificates of trusted authorities; None: the usual ones
    proxy    the address of the proxy, perhaps with credentials; None: a direct connection
    """

    ca_file: str | None
    proxy: str | None

    @classmethod
    def for_server(cls, url: str, ca_file: str | os.PathLike[str] | None) -> "NetworkSettings":
        """Read the environment. Raise InputValidationError if there are no certificates at the path."""
        found = {"ca_file": ca_file, **{name: os.environ.get(name) for name in CERTIFICATES}}
        name, path = next(((name, os.fspath(path)) for name, path in found.items() if path), ("", None))
        if path is not None and not Path(path).exists():
            raise InputValidationError(f"{name}: there is no file {path}", field="ca_file")
        return cls(path, _find_proxy(url))

    @property
    def hint(self) -> str:
        """A note for errors, without the proxy's credentials."""
        return f" through the proxy {urlsplit(self.proxy).netloc.rpartition('@')[2]}" if self.proxy else ""


def _find_proxy(url: str) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY name, unless NO_PROXY excepts the host or it is this machine."""
    address = urlsplit(url)
    host = address.hostname or ""
    if _is_this_machine(host) or proxy_bypass(address.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy or None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
