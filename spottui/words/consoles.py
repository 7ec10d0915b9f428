"""What is said of the consoles of a journal."""

from spottui.domain.text import plain
from spottui.domain.view import LiveConsole


def unread_console(console: LiveConsole) -> str:
    """Say that nobody reads what a console prints, and that this stops nothing."""
    return plain(
        f"console {console.host} pid {console.pid}: nobody reads its {console.unread} · its lines are dropped, "
        "its work continues"
    )


def silent_console(console: LiveConsole) -> str:
    """Say that a console holds its place and is not heard of, and what ends it: a stopped process takes no other."""
    return plain(
        f"console {console.host} pid {console.pid} is not responding · end it there with kill -9 {console.pid}"
    )
