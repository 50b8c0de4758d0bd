"""The embedded broker: Apache Kafka in a JVM that pip installed, with jars fetched once; see ``EmbeddedCluster``."""

from streams.broker.cluster import SIZES, EmbeddedBroker, EmbeddedCluster
from streams.broker.errors import BrokerError
from streams.broker.jars import cache_dir, damaged, fetch, missing
from streams.broker.pins import KAFKA_VERSION
from streams.broker.security import Listener, Security

__all__ = [
    "KAFKA_VERSION",
    "SIZES",
    "BrokerError",
    "EmbeddedBroker",
    "EmbeddedCluster",
    "Listener",
    "Security",
    "cache_dir",
    "damaged",
    "fetch",
    "missing",
]
