"""Private addresses of a vSwitch and public ones of a region."""

from ipaddress import ip_address, ip_network

from spottui.sim.errors import ApiError
from spottui.sim.model import VSwitch


def allocate(vswitch: VSwitch) -> str:
    """A free private address of the vSwitch, now taken."""
    network = ip_network(vswitch.cidr)
    while vswitch.cursor in vswitch.used:
        vswitch.cursor += 1
    if vswitch.cursor >= network.num_addresses - 4:
        raise ApiError("QuotaExceeded.PrivateIpAddress", 403, "No private IP address is left in the VSwitch.")
    vswitch.used.add(vswitch.cursor)
    return str(network[vswitch.cursor])


def take(vswitch: VSwitch, address: str) -> str:
    """Take the wanted address.

    Raises:
        ApiError: malformed, outside the vSwitch, or still somebody's.
    """
    host = _host_number(vswitch, address)
    if host in vswitch.used:
        raise ApiError(
            "InvalidPrivateIpAddress.Duplicated", 400, f"The private IP address {address} is already in use."
        )
    vswitch.used.add(host)
    return address


def give_back(vswitch: VSwitch, address: str) -> None:
    """The address is free again."""
    host = int(ip_address(address)) - int(ip_network(vswitch.cidr).network_address)
    vswitch.used.discard(host)
    vswitch.cursor = min(vswitch.cursor, host)


def _host_number(vswitch: VSwitch, address: str) -> int:
    network = ip_network(vswitch.cidr)
    try:
        inside = ip_address(address) in network
    except ValueError:
        inside = False
    if not inside:
        raise ApiError(
            "InvalidPrivateIpAddress.Malformed", 400, f"The private IP address {address} is not in the VSwitch."
        )
    return int(ip_address(address)) - int(network.network_address)
