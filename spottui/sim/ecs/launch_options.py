"""Options of RunInstances that a machine only keeps and shows, as DescribeInstances nests them."""

from typing import Any

from spottui.sim.params import Params

_PLAIN = ("CreditSpecification", "HpcClusterId")
_NESTED = {
    "ClockOptions": {"PtpStatus": "ClockOptions.PtpStatus"},
    "CpuOptions": {
        "Numa": "CpuOptions.Numa",
        "TopologyType": "CpuOptions.TopologyType",
        "NestedVirtualization": "CpuOptions.NestedVirtualization",
    },
    "DedicatedHostAttribute": {"DedicatedHostId": "DedicatedHostId"},
    "DedicatedInstanceAttribute": {"Tenancy": "Tenancy", "Affinity": "Affinity"},
    "MetadataOptions": {"HttpTokens": "HttpTokens", "HttpEndpoint": "HttpEndpoint"},
    "PrivateDnsNameOptions": {"HostnameType": "PrivateDnsNameOptions.HostnameType"},
}
_WHOLE = {"CpuOptions": {"CoreCount": "CpuOptions.Core", "ThreadsPerCore": "CpuOptions.ThreadsPerCore"}}
_FLAGS = {
    "HibernationOptions": {"Configured": "HibernationOptions.Configured"},
    "SecurityOptions": {"EnableSecureBoot": "SecurityOptions.EnableSecureBoot"},
    "PrivateDnsNameOptions": {
        f"Enable{record}": f"PrivateDnsNameOptions.Enable{record}"
        for record in ("InstanceIdDnsARecord", "InstanceIdDnsAAAARecord", "IpDnsARecord", "IpDnsPtrRecord")
    },
}


def options(params: Params) -> dict[str, Any]:
    """What was asked for, by the field of DescribeInstances that shows it."""
    asked: dict[str, Any] = {name: params.text(name) for name in _PLAIN if params.text(name)}
    if params.text("DeploymentSetGroupNo"):
        asked["DeploymentSetGroupNo"] = params.whole("DeploymentSetGroupNo", 1, 1, 7)
    if params.text("InternetMaxBandwidthIn"):
        most = max(10, params.whole("InternetMaxBandwidthOut", 0, 0, 100))
        asked["InternetMaxBandwidthIn"] = params.whole("InternetMaxBandwidthIn", most, 1, most)
    if params.text("AutoReleaseTime"):
        asked["AutoReleaseTime"] = params.text("AutoReleaseTime")[:16] + "Z"
    for outer, names in _NESTED.items():
        _add(asked, outer, {inner: params.text(name) for inner, name in names.items() if params.text(name)})
    for outer, names in _WHOLE.items():
        found = {inner: params.whole(name, 1, 1, 1024) for inner, name in names.items() if params.text(name)}
        _add(asked, outer, found)
    for outer, names in _FLAGS.items():
        _add(asked, outer, {inner: params.flag(name) for inner, name in names.items() if params.text(name)})
    return asked


def shown(row: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """A row of DescribeInstances with what was asked for at the launch."""
    if not asked:
        return row
    nested = {name: {**row.get(name, {}), **value} for name, value in asked.items() if isinstance(value, dict)}
    return {**row, **asked, **nested}


def _add(asked: dict[str, Any], outer: str, values: dict[str, Any]) -> None:
    if values:
        asked[outer] = {**asked.get(outer, {}), **values}
