"""The panel of a wide screen that shows the whole fleet in two lines, and asks for what it shows."""

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from spottui.console.session import Session
from spottui.console.text.pulse import freshness_text, pulse_text
from spottui.domain.background import FleetBackground
from spottui.domain.instance import Instance
from spottui.domain.view import DeskView
from spottui.tables.pulse import Pulse, pulse, reclaims_of

_FRAME_CELLS = 4
_EVERY_S = 300.0


class PulsePanel(Static):
    """Shows the pulse where the style sheet gives it room; the fleet's market is asked for every `_EVERY_S`."""

    def __init__(self, session: Session) -> None:
        super().__init__("", id="pulse", markup=False)
        self._session = session
        self._shown = Content("")
        self._asked_at: float | None = None
        self._asked_for: frozenset[str] = frozenset()
        self._made_of: tuple[tuple[Instance, ...], tuple[datetime, ...]] = ((), ())
        self._fleet_background: FleetBackground | None = None
        self._pulse: Pulse | None = None
        self.border_title = Content("Pulse")

    def show(self, *, wanted: bool) -> None:
        """Update the panel; ask for the market if it is due and is shown here, or `wanted` by a table."""
        view, now = self._session.view, self._session.clock.now()
        if view is None or view.starting:
            return
        if (self.display or wanted) and view.instances:
            self._ask(now.timestamp(), view)
        if self.display:
            missing = view.fleet_background.missing if view.fleet_background else ()
            text = pulse_text(self._pulse_of(view), missing, now, self.app.size.width - _FRAME_CELLS)
            if text != self._shown:
                self._shown = text
                self.update(text, layout=False)
            # The header has the ages of a single region already.
            self._write_freshness(freshness_text(view, now) if len(view.regions) > 1 else "")

    def _pulse_of(self, view: DeskView) -> Pulse | None:
        """Return the pulse of a view, made again only when the fleet or what is around it has changed."""
        if view.fleet_background is None:
            return None
        made_of = (view.instances, reclaims_of(view, view.fleet_background))
        if self._pulse is None or self._fleet_background is not view.fleet_background or self._made_of != made_of:
            self._made_of, self._fleet_background = made_of, view.fleet_background
            self._pulse = pulse(view, view.fleet_background)
        return self._pulse

    def _ask(self, now_s: float, view: DeskView) -> None:
        """Ask now and then, and at once when the first instances of a region are there."""
        regions = self._regions_of(view)
        if self._asked_at is None or now_s - self._asked_at >= _EVERY_S or not regions <= self._asked_for:
            self._asked_at, self._asked_for = now_s, regions
            self._session.worker.ask(lambda desk: desk.look_around(), self)

    def _regions_of(self, view: DeskView) -> frozenset[str]:
        if len(view.regions) == 1:
            return frozenset(view.regions)
        return frozenset(instance.region for instance in view.instances)

    def _write_freshness(self, text: str) -> None:
        if str(self.border_subtitle) != text:
            self.border_subtitle = Content(text)
