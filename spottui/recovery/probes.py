"""One try of a TCP or HTTP probe, from this host; it blocks for a few seconds at most."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from spottui.domain.probe import Miss, Missed, ProbeSettings

CONNECT_S = 3.0
ANSWER_S = 5.0
BODY_READ = 65_536


def missed(settings: ProbeSettings, ip: str) -> Missed | None:
    """Return why a TCP or HTTP probe of an address does not pass, None when it does."""
    try:
        ip_address(ip)
    except ValueError:
        return Missed(Miss.NO_ADDRESS)
    url = urlsplit(settings.target(ip))
    try:
        with closing(socket.create_connection((ip, settings.tcp or _port(url)), CONNECT_S)) as connection:
            return None if settings.tcp else _http_missed(settings, url, connection)
    except TimeoutError:
        return Missed(Miss.NO_ANSWER)
    except OSError as error:
        return Missed(Miss.NO_CONNECTION, error.strerror or type(error).__name__)


def _http_missed(settings: ProbeSettings, url: SplitResult, connection: socket.socket) -> Missed | None:
    connection.settimeout(ANSWER_S)
    if url.scheme == "https":
        try:
            context = ssl.create_default_context(cafile=settings.ca_file or None)
        except OSError as error:
            return Missed(Miss.CERTIFICATE, f"{settings.ca_file}: {error.strerror}")
        name = settings.tls_name or url.hostname
        connection = context.wrap_socket(connection, server_hostname=name, do_handshake_on_connect=False)
    with closing(connection), _cut_off(connection) as is_late:
        missed = _tried(settings, url, connection)
    # What was cut off looks like an answer that is at its end.
    return Missed(Miss.NO_ANSWER) if is_late.is_set() else missed


def _tried(settings: ProbeSettings, url: SplitResult, connection: socket.socket) -> Missed | None:
    try:
        return _answer_missed(settings, url, connection)
    except ssl.SSLCertVerificationError as error:
        return Missed(Miss.CERTIFICATE, error.verify_message)
    except ssl.SSLError as error:
        return Missed(Miss.CERTIFICATE, error.reason)
    except TimeoutError:
        return Missed(Miss.NO_ANSWER)
    except http.client.HTTPException:
        return Missed(Miss.NO_HTTP)
    except OSError as error:
        return Missed(Miss.NO_CONNECTION, error.strerror or type(error).__name__)


def _answer_missed(settings: ProbeSettings, url: SplitResult, connection: socket.socket) -> Missed | None:
    if isinstance(connection, ssl.SSLSocket):
        connection.do_handshake()
    asking = http.client.HTTPConnection(url.hostname or "")
    asking.sock = connection
    path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    headers = {"Host": settings.tls_name or url.netloc, "User-Agent": "spottui", "Connection": "close"}
    asking.request("GET", path, headers=headers)
    answer = asking.getresponse()
    if answer.status != settings.status:
        return Missed(Miss.STATUS, str(answer.status))
    return None if settings.body.encode() in answer.read(BODY_READ) else Missed(Miss.BODY)


@contextmanager
def _cut_off(connection: socket.socket) -> Iterator[threading.Event]:
    """Cut a connection in time whose other end sends a byte now and then, which no time-out of a socket ends."""
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(ANSWER_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
