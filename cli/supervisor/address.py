"""Where the service listens: loopback unless told otherwise, on a socket that outlives every gunicorn."""

import errno
import ipaddress
import socket

from cli.supervisor.refusals import PortTaken, WrongUsage

BACKLOG = 512
"""Connections that may wait while gunicorn is restarted."""


def listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Return a listening socket; port 0 picks a free one.

    The supervisor owns it and hands it to gunicorn: while gunicorn is restarted, callers wait instead of
    being refused.

    Raises:
        WrongUsage: the host is unknown, or others could reach it and `allow_remote` is False.
        PortTaken: somebody listens there already.
    """
    family, address = _resolve(host, port)
    if not (allow_remote or ipaddress.ip_address(address[0]).is_loopback):
        raise WrongUsage(
            f"{host} can be reached from other machines. The embedded service speaks plain HTTP: "
            "listen at 127.0.0.1, or say --allow-remote."
        )
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise _bind_refused(host, port, error) from error
    sock.listen(BACKLOG)
    return sock


def url_of(sock: socket.socket) -> str:
    """Return the URL under which this machine reaches `sock`."""
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if sock.family == socket.AF_INET6 else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise WrongUsage(f"There is no host {host!r} to listen at.") from error
    return family, (str(address[0]), int(address[1]))


def _bind_refused(host: str, port: int, error: OSError) -> PortTaken | WrongUsage:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Port {port} at {host} is in use by another program; choose another one.")
    return WrongUsage(f"Cannot listen at {host}, port {port}: {error.strerror}.")
