"""A probe: the check that a replacement serves and not only runs."""

from enum import StrEnum

import msgspec
from msgspec import Struct

from spottui.domain.dates import seconds_of

PROBE_TAG = "spottui:probe"
"""The tag by which an instance names its `[probe.NAME]`; an empty value means none."""
IP = "{ip}"
"""The placeholder of the replacement's address in `ProbeSettings.http`."""


class ProbeAddress(StrEnum):
    """Which address of the replacement is probed; the public one is its EIP if it has one."""

    PRIVATE = "private"
    PUBLIC = "public"


class ProbeSettings(msgspec.Struct, frozen=True, gc=False):
    """One `[probe.NAME]`: a TCP port, a URL, or a shell command for Cloud Assistant on the replacement.

    A connection to the port `tcp` is enough. A GET of `http`, whose host is `{ip}`, must answer `status`, with `body`
    somewhere in the first 64 KiB. `tls_name` is the certificate's name and the virtual host, if that is not the
    address; `ca_file` are the trusted authorities, empty for those of this machine. The command must
    exit with 0. The probe is repeated `every` so often until it passes, for `patience`, both durations (`seconds_of`).
    """

    tcp: int = 0
    http: str = ""
    status: int = 200
    body: str = ""
    tls_name: str = ""
    ca_file: str = ""
    command: str = ""
    address: ProbeAddress = ProbeAddress.PRIVATE
    patience: str = "2m"
    every: str = "2s"

    @property
    def patience_s(self) -> float:
        """The seconds after which the probe has failed."""
        return seconds_of(self.patience) or 0.0

    @property
    def every_s(self) -> float:
        """The seconds from the end of a try to the next one."""
        return seconds_of(self.every) or 0.0

    def target(self, ip: str) -> str:
        """Return the probed target at an address, as a person would type it; empty for a command."""
        return f"{ip}:{self.tcp}" if self.tcp else self.http.replace(IP, ip)


class Probe(msgspec.Struct, frozen=True, gc=False):
    """A probe of the configuration, frozen with the plan."""

    name: str
    settings: ProbeSettings


class Miss(StrEnum):
    """Why a probe did not pass, each with the content of `Missed.what`."""

    NO_ADDRESS = "no address"
    NO_CONNECTION = "no connection"  # the system's words
    NO_ANSWER = "no answer in time"
    NO_HTTP = "no HTTP"
    CERTIFICATE = "certificate"  # OpenSSL's words
    STATUS = "status"  # the status
    BODY = "body"
    NOT_RUN = "not run"  # the Code of the refusal, or what Cloud Assistant says of the command
    EXIT_CODE = "exit code"  # the exit code


class Missed(Struct, frozen=True, omit_defaults=True):
    """One try of a probe that did not pass; `what` is untrusted text."""

    miss: Miss
    what: str = ""
