"""The last question of a way back to spot: the on-demand instance to delete, and why that is safe."""

from collections.abc import Iterator

from textual import on
from textual.content import Content

from spottui.console.dialogs.dialog import Question
from spottui.console.messages import Answered
from spottui.console.session import Session
from spottui.domain.text import plain
from spottui.domain.way_back import Deletion
from spottui.words.market import deletion


class DeletionDialog(Question):
    """Checks the cloud when it opens; it cannot be confirmed before the answer, or if something speaks against it."""

    def __init__(self, session: Session, region: str, instance_id: str, name: str) -> None:
        super().__init__(f"Delete on-demand {plain(name, 60)}?", Content("Looking at both instances…"), "Delete it")
        self._session, self._region, self._instance_id = session, region, instance_id
        self._deletion: Deletion | None = None

    def on_mount(self) -> None:
        """Ask whether the deletion is safe."""
        self._session.worker.ask(lambda desk: desk.deletion(self._region, self._instance_id), self)

    def accept(self) -> bool:
        """Return yes once the deletion is known to be safe."""
        return self._deletion is not None

    def action_accept(self) -> None:
        """Answer yes, if that is possible."""
        if self._deletion:
            self.dismiss(True)

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, Deletion):
            self._deletion = message.answer
        self._body = Content("\n").join(list(self._lines(message.problem)))
        self.redraw()

    def _lines(self, problem: str) -> Iterator[Content]:
        if self._deletion is None:
            yield Content.styled(f"Not deleted. {plain(problem, 500)}", "bold $warning")
            return
        yield from (Content(line) for line in deletion(self._deletion))
