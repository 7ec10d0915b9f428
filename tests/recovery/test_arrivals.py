"""Results of threads arrive in a loop: each one, whatever it is, and many with one wake-up."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from spottui.recovery.arrivals import arrival


def test_a_result_an_error_and_a_cancelled_call_arrive_as_such() -> None:
    async def arrive() -> None:
        with ThreadPoolExecutor(2) as threads:
            assert await arrival(threads.submit(lambda: 7)) == 7
            with pytest.raises(ZeroDivisionError):
                await arrival(threads.submit(lambda: 1 // 0))
        cancelled: Future[None] = Future()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await arrival(cancelled)

    asyncio.run(arrive())


def test_who_gives_up_cancels_what_has_not_begun() -> None:
    async def give_up() -> bool:
        never: Future[None] = Future()
        waiting = arrival(never)
        waiting.cancel()
        await asyncio.sleep(0)
        return never.cancelled()

    assert asyncio.run(give_up())


def test_results_that_arrive_while_the_loop_is_busy_wake_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy() -> tuple[list[int], int]:
        results = [Future[int]() for _ in range(500)]
        waiting = [arrival(result) for result in results]
        loop, wakes = asyncio.get_running_loop(), list[Any]()
        call = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *args: (wakes.append(args), call(*args)))
        thread = threading.Thread(target=lambda: [result.set_result(n) for n, result in enumerate(results)])
        thread.start()
        thread.join()
        return await asyncio.gather(*waiting), len(wakes)

    assert asyncio.run(busy()) == (list(range(500)), 1)


def test_none_is_lost_whoever_delivers_when() -> None:
    async def arrive() -> list[int]:
        with ThreadPoolExecutor(8) as threads:
            return await asyncio.gather(*(arrival(threads.submit(lambda n=n: n)) for n in range(3000)))  # type: ignore[misc]

    assert asyncio.run(arrive()) == list(range(3000))
