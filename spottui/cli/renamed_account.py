"""A start under another account's name: what is open under the old one would be recovered a second time."""

from spottui.domain.region_key import region_id, shown_account
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.store import JournalProblem

_SHOWN = 3


def refuse_renamed_account(settings: Settings, journal: Journal) -> None:
    """Raise `JournalProblem` if an account that has open recoveries may have been renamed.

    That is so where the configuration does not name their account, and names another one in the same region that this
    journal has never watched. A journal that several consoles share may hold accounts that one of them does not have.
    """
    unnamed = [recovery for recovery in journal.recoveries.open() if recovery.region not in settings.region_keys]
    for old in dict.fromkeys(recovery.region for recovery in unnamed):
        others = (key for key in settings.region_keys if region_id(key) == region_id(old))
        new = next((key for key in others if not journal.fleet.load(key)), None)
        if new:
            instance_ids = [recovery.instance_id for recovery in unnamed if recovery.region == old]
            raise JournalProblem(_refusal(settings.journal, old, new, instance_ids))


def _refusal(address: str, old: str, new: str, instance_ids: list[str]) -> str:
    more = f" and {len(instance_ids) - _SHOWN} more" if len(instance_ids) > _SHOWN else ""
    was, now = shown_account(old), shown_account(new)
    restore = f'account = "{was}"' if was != shown_account("") else "no account"
    return (
        f"journal {address}: the recovery of {', '.join(instance_ids[:_SHOWN])}{more} is in progress in account {was}, "
        f"which the configuration does not name in {region_id(old)}; account {now} there is new. If {was} was renamed, "
        f"it would be recovered a second time. Nothing was started. Give the [[region]] {restore} again until it has "
        f"ended or was cancelled, then rename the account; if {now} is another account, configure both until then."
    )
