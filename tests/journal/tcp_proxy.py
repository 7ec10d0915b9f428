"""A TCP proxy on loopback that can be cut, held up, or made to cut at a word."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any


class TcpProxy:
    """Forwards to a port of loopback. While `held` nothing passes, and nobody is told."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._pass = asyncio.Event()
        self._pass.set()
        self._cut_at: tuple[bytes, bool] | None = None
        self._hold_then = False
        self.cuts = 0
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Cut every connection; new ones are taken."""
        self._loop.call_soon_threadsafe(self._cut)

    def cut_at(self, word: bytes, *, after: bool, hold: bool = False) -> None:
        """Cut the next connection on which a client says this word, before or after it has passed; `hold` from then."""
        self._cut_at, self._hold_then = (word, after), hold

    def hold(self) -> None:
        """Let nothing pass any more."""
        self._loop.call_soon_threadsafe(self._pass.clear)

    def release(self) -> None:
        """Let everything pass that was held up."""
        self._loop.call_soon_threadsafe(self._pass.set)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _cut(self) -> None:
        self.cuts += 1
        for writer in self._open:
            writer.close()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass.wait()
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        self._open |= {writer, away}
        await asyncio.gather(self._forward(reader, away, writer), self._forward(there, writer, away, answers=True))

    async def _forward(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        *,
        answers: bool = False,
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._pass.wait()
                cut_at = self._cut_at
                if cut_at and not answers and cut_at[0] in data:
                    self._cut_at, self.cuts = None, self.cuts + 1
                    if cut_at[1]:
                        to.write(data)
                        await to.drain()
                    back.close()
                    if self._hold_then:
                        self._pass.clear()
                    break
                to.write(data)
                await to.drain()
        except OSError:
            pass
        finally:
            to.close()
