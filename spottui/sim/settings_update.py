"""Which values each setting of a world accepts, and changing them."""

from dataclasses import fields

from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.settings import Settings
from spottui.sim.stock import INTERRUPTION_RATES

_MAX_S = 30 * 86_400.0

_SECONDS = (
    "image_base_s", "image_s_per_gib", "image_waiting_s", "image_usable_s", "image_unlisted_s",
    "instance_unlisted_s", "boot_s", "launch_fails_after_s", "command_s", "token_in_process_s",
    "market_check_s", "queue_rest_s", "snapshot_min_age_s", "token_life_s", "date_tolerance_s", "role_key_s",
    "image_usable_after_s", "stop_s", "reclaim_stop_s", "instant_access_s", "eip_s", "kept_disk_s", "agent_late_s",
    "eni_s", "server_group_s", "clb_busy_s", "service_s",
)  # fmt: skip
_NUMBERS = {
    **dict.fromkeys(_SECONDS, (0.0, _MAX_S)),
    "image_incremental": (0.0, 1.0), "disk_change_gib_per_h": (0.0, 1e6), "price_swing": (0.0, 1.0),
    "skew_wall_s": (-_MAX_S, _MAX_S),
}  # fmt: skip
_WHOLE = {
    "image_quota": (0, 10**6), "images_that_fail": (0, 10**6), "spot_vcpus": (0, 10**7),
    "launches_that_fail": (0, 10**6),
    "command_exit_code": (0, 255),
    "dry_run_status": (200, 599), "throttle_status": (400, 599),
    "qps_status": (400, 599), "batch_send_status": (200, 599),
}  # fmt: skip
_LISTS = ("gone", "uefi_types")
_FLAGS = tuple(field.name for field in fields(Settings) if field.type is bool)
_CHOICES = {
    "locked_status": ("Running", "Stopping", "Stopped"),
    "stop_action": ("stop", "delete"),
    "agent": ("running", "missing", "late"),
    "service_of_new": ("up", "down", "failing", "hanging"),
    "throttle_code": ("Throttling.User", "Throttling", "Throttling.Api"),
    "image_not_ready_code": ("OperationDenied.ImageNotValid", "InvalidImageId.NotFound"),
}
_PERMISSIONS = ("allow", "empty", "forbidden")


def change(settings: Settings, given: Given) -> None:
    """Change the given settings; all or none.

    Raises:
        ControlError: no such setting, or a value that it does not accept.
    """
    wanted: dict[str, object] = {}
    for name, (low, high) in {**_NUMBERS, **_WHOLE}.items():
        if name in given:
            number = given.number(name, None, low, high)
            wanted[name] = int(number) if name in _WHOLE else number
    wanted |= {name: given.flag(name, True) for name in _FLAGS if name in given}
    wanted |= {name: given.choice(name, allowed) for name, allowed in _CHOICES.items() if name in given}
    wanted |= {name: given.text(name) for name in ("metadata_of",) if name in given}
    wanted |= {name: given.texts(name) for name in _LISTS if name in given}
    if "tls_ports" in given:
        wanted["tls_ports"] = list(given.ports("tls_ports"))
    permissions, limits, rates = _permissions(given), _limits(given), _rates(given)
    categories, external_ids = given.mapping("disk_categories"), given.mapping("external_ids")
    given.end()
    for name, value in wanted.items():
        setattr(settings, name, value)
    settings.permissions.update(permissions)
    settings.limits.update(limits)
    settings.disk_categories.update(categories)
    settings.external_ids.update(external_ids)
    settings.interruption_rates.update(rates)


def _permissions(given: Given) -> dict[str, str]:
    permissions = given.mapping("permissions")
    if any(value not in _PERMISSIONS for value in permissions.values()):
        raise ControlError("permissions", "has a value that is not allowed", list(_PERMISSIONS))
    return permissions


def _rates(given: Given) -> dict[str, str]:
    rates = given.mapping("interruption_rates")
    if any(value not in INTERRUPTION_RATES for value in rates.values()):
        raise ControlError("interruption_rates", "has a value that is not allowed", list(INTERRUPTION_RATES))
    return rates


def _limits(given: Given) -> dict[str, int]:
    limits = given.mapping("limits")
    if any(not value.isdigit() for value in limits.values()):
        raise ControlError("limits", "has a value that is not allowed", "calls a minute, 0 or more")
    return {action: int(value) for action, value in limits.items()}
