"""The embedded broker: Apache Kafka in a JVM that pip installed, with jars fetched once; see ``EmbeddedBroker``."""

from streams.broker.errors import BrokerError
from streams.broker.jars import cache_dir, damaged, fetch, missing
from streams.broker.pins import KAFKA_VERSION
from streams.broker.process import EmbeddedBroker

__all__ = ["KAFKA_VERSION", "BrokerError", "EmbeddedBroker", "cache_dir", "damaged", "fetch", "missing"]
