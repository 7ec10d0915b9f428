"""The second question of a way back to spot: the on-demand instance that is deleted, and what speaks for it."""

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
    """Has the cloud looked at once it is open: there is no yes before the answer, and none where it speaks against."""

    def __init__(self, session: Session, region: str, instance_id: str, name: str) -> None:
        super().__init__(f"Delete on-demand {plain(name, 60)}?", Content("Looking at both instances…"), "Delete it")
        self._session, self._region, self._instance_id = session, region, instance_id
        self._deletion: Deletion | None = None

    def on_mount(self) -> None:
        """Ask for what speaks for the deletion."""
        self._session.worker.ask(lambda desk: desk.deletion(self._region, self._instance_id), self)

    def accept(self) -> bool:
        """Return yes once it is known that nothing speaks against it."""
        return self._deletion is not None

    def action_accept(self) -> None:
        """Answer yes, if there is one."""
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
