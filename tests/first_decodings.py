"""`spottui` that ends with 3 when a thread beside the first builds what msgspec keeps of a struct.

A second thread that decodes the same type meanwhile would crash the process (docs/sdk-traps.md).
"""

import os
import threading
from types import FrameType
from typing import Any

from spottui.cli.main import main


def _look(frame: FrameType, event: str, _argument: Any) -> None:
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        os.write(2, f"{frame.f_locals.get('obj')} by {threading.current_thread().name}\n".encode())
        os._exit(3)


if __name__ == "__main__":
    threading.setprofile(_look)
    main(prog_name="spottui")
