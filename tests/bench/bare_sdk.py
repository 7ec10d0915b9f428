"""The floor of a reaction: receive with the SDK, one FULL commit, one CreateImage with the SDK, and nothing else."""

import base64
import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from mns.account import Account
from mns.mns_exception import MNSExceptionBase


def main() -> None:
    """Arguments: the simulated cloud's ready line as JSON, the queue, a directory for the database, calls at once."""
    ready, queue_name, directory = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    key = (ready["access_key_id"], ready["access_key_secret"])
    queue = Account(ready["url"], *key).get_queue(queue_name)
    queue.set_encoding(False)
    host = ready["url"].partition("://")[2]
    client = Client(Config(*key, endpoint=host, protocol="HTTP", region_id="cn-hangzhou"))
    database = sqlite3.connect(f"{directory}/floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE event (body TEXT)")
    pool = ThreadPoolExecutor(int(sys.argv[4]))
    while True:
        try:
            messages = queue.batch_receive_message(16, 10)
        except MNSExceptionBase:
            continue
        for message in messages:
            database.execute("INSERT INTO event VALUES (?)", (message.message_body,))
            event = json.loads(base64.b64decode(message.message_body))
            request = models.CreateImageRequest(
                region_id=event["regionId"],
                instance_id=event["content"]["instanceId"],
                image_name=f"floor-{message.message_id}",
            )
            pool.submit(client.create_image, request)
        queue.batch_delete_message([message.receipt_handle for message in messages])


if __name__ == "__main__":
    main()
