"""What the market says of an instance, in words: that it may be reclaimed soon, or may run as spot again."""

from collections.abc import Iterator

from spottui.domain.early_warning import EarlySign, EarlyWarning
from spottui.domain.instance import Instance
from spottui.domain.places import shown_rate
from spottui.domain.text import plain
from spottui.domain.way_back import Deletion, OnDemand

_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}


def symbol(currency: str) -> str:
    """Return a currency's symbol, else its code with a space; empty if the currency is unknown."""
    return _SYMBOLS.get(currency) or (f"{plain(currency, 8)} " if currency else "")


def early_warning(warning: EarlyWarning) -> str:
    """Return one warning in a few words, as a cell of a table has them."""
    if warning.sign is EarlySign.PRICE:
        return f"price {_percent(warning)}% of limit"
    if warning.sign is EarlySign.STOCK:
        return str(warning.stock)
    return f"rate {_rate(warning.rate)}, was {_rate(warning.was)}"


def early_warning_of(instance: Instance, warning: EarlyWarning) -> str:
    """Return one warning of an instance as a sentence without a full stop."""
    place = f"{plain(instance.instance_type, 40)} in {plain(instance.zone, 40)}"
    if warning.sign is EarlySign.PRICE:
        sign = symbol(warning.currency)
        limit = f"{sign}{warning.limit:.3f}/h"
        return f"spot price of {sign}{warning.price:.3f}/h is {_percent(warning)}% of its price limit of {limit}"
    if warning.sign is EarlySign.STOCK:
        return f"{place} is {warning.stock} as spot"
    return f"interruption rate of {place} rose from {_rate(warning.was)} to {_rate(warning.rate)}"


def way_back(on_demand: OnDemand, zone: str, symbol: str) -> str:
    """Return it in a few words, as a cell of a table has them; `zone` in short, `symbol` of the currency."""
    if on_demand.replaced_by:
        return f"still billed, {plain(on_demand.replaced_by, 30)} runs"
    if on_demand.way_back is None:
        return "not now"
    return f"saves {symbol}{on_demand.way_back.saving_per_month:,.0f}/month in {zone}"


def way_back_in_full(on_demand: OnDemand, symbol: str) -> str:
    """Return it as a sentence without a full stop."""
    if on_demand.replaced_by:
        new_id = plain(on_demand.replaced_by, 64)
        return f"{new_id} runs as spot in its place; this on-demand instance is billed until deleted"
    if on_demand.way_back is None:
        return (
            "an on-demand replacement of a spot instance; no way back to spot now: no stock, price unknown, or a risk"
        )
    price = on_demand.way_back.price
    return (
        f"on-demand replacement of a spot instance; spot is in stock in {plain(on_demand.way_back.zone, 40)} at "
        f"{symbol}{price.spot:.3f}/h instead of {symbol}{price.on_demand:.3f}/h and saves about "
        f"{symbol}{on_demand.way_back.saving_per_month:,.0f} a month: B plans the way back"
    )


def deletion(of: Deletion) -> Iterator[str]:
    """Yield what is deleted, what serves in its place, and what is lost with it, in lines for a person's yes."""
    old, new = of.on_demand, of.spot
    old_id, since = plain(old.instance_id), of.recovery.imaging_since
    kind = f"{plain(old.instance_type, 40)} on-demand in {plain(old.zone, 40)}"
    yield f"{old_id} {plain(old.name, 60)}, {kind}, is deleted:"
    yield "  DeleteInstance with Force=true: it is switched off, not shut down. This cannot be undone."
    going = [disk for disk in of.disks if disk.delete_with_instance]
    staying = [plain(disk.disk_id) for disk in of.disks if not disk.delete_with_instance]
    if going:
        yield f"  Deleted with it: {', '.join(f'{plain(disk.disk_id)} ({disk.size_gib} GiB)' for disk in going)}."
    if staying:
        yield f"  Kept, and billed until deleted: {', '.join(staying)}."
    yield f"{plain(new.instance_id)} runs as spot in {plain(new.zone, 40)} in its place, and has its traffic."
    if since:
        yield f"What was written on {old_id} after {since:%Y-%m-%d %H:%M:%S} UTC is not on it, and is lost."


def _rate(words: str) -> str:
    return plain(shown_rate(words), 16)


def _percent(warning: EarlyWarning) -> int:
    return round(100 * warning.price / warning.limit)
