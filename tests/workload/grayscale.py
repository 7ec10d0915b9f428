"""The example workload: a picture turned gray, row by row, that can be interrupted at any moment.

    python grayscale.py INPUT.ppm OUTPUT.pgm

After every 50 rows, and on SIGTERM, what is done is saved beside the output as OUTPUT.part; the next run goes on from
there. The output itself appears only when it is whole. Exit 75 after an interruption: come again.
Gray = 0.30 R + 0.59 G + 0.11 B, as in the document that this follows.
"""

import os
import signal
import sys
import time
from pathlib import Path

SAVE_EVERY = 50
COME_AGAIN = 75


def main(source: Path, target: Path, pause_s: float) -> int:
    interrupted = []
    signal.signal(signal.SIGTERM, lambda *_: interrupted.append(True))
    if target.exists():
        return 0
    width, height, pixels = read_ppm(source)
    part = target.with_name(f"{target.name}.part")
    gray = rows_of(part, width)
    for row in range(len(gray) // width, height):
        gray += gray_row(pixels, row, width)
        print(row + 1, flush=True)
        time.sleep(pause_s)
        if interrupted:
            replace_whole(part, bytes(gray))
            return COME_AGAIN
        if (row + 1) % SAVE_EVERY == 0:
            replace_whole(part, bytes(gray))
    replace_whole(target, f"P5 {width} {height} 255\n".encode() + bytes(gray))
    part.unlink(missing_ok=True)
    return 0


def gray_row(pixels: bytes, row: int, width: int) -> bytes:
    start = row * width * 3
    return bytes(
        int(0.30 * pixels[at] + 0.59 * pixels[at + 1] + 0.11 * pixels[at + 2])
        for at in range(start, start + width * 3, 3)
    )


def rows_of(part: Path, width: int) -> bytearray:
    """Whole rows only: a file that was cut is used as far as it goes."""
    saved = part.read_bytes() if part.exists() else b""
    return bytearray(saved[: len(saved) // width * width])


def replace_whole(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_ppm(path: Path) -> tuple[int, int, bytes]:
    head, pixels = path.read_bytes().split(b"\n", 1)
    _, width, height, _ = head.split()
    return int(width), int(height), pixels


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
