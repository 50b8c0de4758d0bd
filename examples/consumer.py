"""A consumer app in thirty lines: alerts on every failed build whose root cause is an ownership error.

Needs only aiokafka and the JSON Schema in docs/schemas/predictions.v1.json; it shares no code with jidoka.

    python examples/consumer.py [BROKER] [CATEGORY]
"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer

BROKER = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
CATEGORY = sys.argv[2] if len(sys.argv) > 2 else "OwnershipBorrow"


async def main() -> None:
    """Follow the predictions; only what was committed counts (read_committed)."""
    consumer = AIOKafkaConsumer(
        "jidoka.predictions.v1",
        bootstrap_servers=BROKER,
        group_id=f"alerts-{CATEGORY}",  # a group of its own for each category: it has its own place on the topic
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    async with consumer:
        async for message in consumer:
            prediction = json.loads(message.value)
            root = prediction["classifications"][prediction["root"]]
            if CATEGORY in (root["category"], root.get("subcategory")):
                print(f"{prediction['project']}: {root['message']} ({root['confidence']:.0%}, {root['reason']})")


asyncio.run(main())
