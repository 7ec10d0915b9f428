"""`spottui recover` that is left: before the yes nothing was started, and after it that is never said."""

from types import SimpleNamespace
from typing import Any

import pytest

from spottui.cli import assembly, recover
from tests.journal.given import plan_of


class Interrupted:
    """A desk at which Ctrl+C is pressed during one of its methods."""

    def __init__(self, during: str) -> None:
        self._during = during

    def view(self) -> Any:
        return SimpleNamespace(recoveries=())

    def plan_for(self, *_: object, **__: object) -> Any:
        return self._pressed("plan_for") or plan_of()

    def recover(self, *_: object) -> str:
        return str(self._pressed("recover") or "cn-hangzhou.i-1.1")

    def close(self) -> None:
        pass

    def _pressed(self, method: str) -> None:
        if method == self._during:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("during", "said"), [("plan_for", "nothing was started"), ("recover", "resumes the recovery from the same step")]
)
def test_what_ctrl_c_has_left_is_said_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], during: str, said: str
) -> None:
    monkeypatch.setattr(assembly, "open_desk", lambda *_, **__: Interrupted(during))
    asked = recover._Asked("i-1", ("cn-hangzhou",), None, when_locked=False, yes=True)
    assert recover._recover(None, asked, as_json=False) == 1  # type: ignore[arg-type]
    error = capsys.readouterr().err
    assert said in error
    assert ("nothing was started" in error) == (during == "plan_for")
