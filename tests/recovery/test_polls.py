"""One poll for all: an id that the cloud refuses to look up spoils no other and is not taken for one that is gone."""

import asyncio

from spottui.cloud.batches import Answers
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.recovery.polls import SharedPoll


def test_a_refused_id_has_its_error_and_the_others_their_answers() -> None:
    denied = CloudError("DescribeDisks", ErrorKind.DENIED, "Forbidden.RAM")

    async def looks() -> list[object]:
        async def fetch(_ids: object) -> Answers[str]:
            return Answers({"d-1": "Available"}, {"d-2": denied})

        poll = SharedPoll(fetch)
        return list(await asyncio.gather(*(poll.next(one, 0.0) for one in ("d-1", "d-2", "d-3"))))

    assert asyncio.run(looks()) == ["Available", denied, None]
