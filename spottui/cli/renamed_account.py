"""A start under another account's name: what is open under the old one would be recovered a second time."""

from spottui.domain.refusal import Misconfigured
from spottui.domain.region_key import region_id, shown_account
from spottui.domain.settings import Settings
from spottui.journal import Journal

_SHOWN = 3


def refuse_renamed_account(settings: Settings, journal: Journal) -> None:
    """Raise `Misconfigured` if an account that has open recoveries may have been renamed.

    That is so where the configuration does not name their account, and names another one in the same region that this
    journal has never watched. A journal that several consoles share may hold accounts that one of them does not have.
    """
    unnamed = [recovery for recovery in journal.recoveries.open() if recovery.region not in settings.region_keys]
    for old in dict.fromkeys(recovery.region for recovery in unnamed):
        others = (key for key in settings.region_keys if region_id(key) == region_id(old))
        new = next((key for key in others if not journal.fleet.load(key)), None)
        if new:
            instance_ids = [recovery.instance_id for recovery in unnamed if recovery.region == old]
            raise Misconfigured(_refusal(settings.journal, old, new, instance_ids))


def _refusal(address: str, old: str, new: str, instance_ids: list[str]) -> str:
    more = f" and {len(instance_ids) - _SHOWN} more" if len(instance_ids) > _SHOWN else ""
    was, now = shown_account(old), shown_account(new)
    found = f'"{now}"' if now != shown_account("") else "none"
    allowed = f'"{was}"' if was != shown_account("") else "none"
    return (
        f"region.account in {region_id(old)}: found {found}, which is new there, while the recovery of "
        f"{', '.join(instance_ids[:_SHOWN])}{more} is in progress in account {was} (journal {address}); "
        f"allowed: {allowed} until it has ended or was cancelled. If {was} was renamed to {now}, it would be "
        f"recovered a second time. Nothing was started and nothing is lost: use the old name until then, or configure "
        f"both if {now} is another account."
    )
