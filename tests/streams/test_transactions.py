"""The transaction of a batch: what the line leans on in Faust, and the gate between batches and commits."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import faust
import mode
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator
from aiokafka.protocol.metadata import MetadataResponse_v0
from aiokafka.record.default_records import DefaultRecordBatch
from faust import streams as streams_module
from faust.app import base as app_module
from faust.assignor.partition_assignor import PartitionAssignor
from faust.exceptions import ProducerSendError
from faust.transport import consumer as consumer_module
from faust.transport.consumer import Consumer, ThreadDelegateConsumer, TransactionManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode import worker as worker_module
from mode.services import ServiceTask

from streams.delivery import (
    BatchProducer,
    Chunk,
    ChunkConsumer,
    ConsumerThread,
    Outgoing,
    _batches,
)
from streams.transactions import Checkpoint, Gate, LineApp, TransactionalConsumer, TransactionalTransport

FAUST = Path(faust.__file__).parent


def methods(module: ModuleType) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def callers(module: ModuleType, attribute: str, of: str | None = None) -> set[str]:
    """Return the functions of ``module`` that call ``….attribute(…)`` (on ``….of``, if given)."""
    found = set()
    for name, function in methods(module):
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = getattr(node.func.value, "attr", None) or getattr(node.func.value, "id", None)
            if node.func.attr == attribute and (of is None or owner == of):
                found.add(name)
    return found


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.fixture
def app() -> LineApp:
    return LineApp(
        "line-of-the-test", broker="kafka://127.0.0.1:1", processing_guarantee="exactly_once", store="memory://"
    )


class TestWhatFaustPromises:
    def test_the_app_makes_its_transport_in_one_place(self, app: LineApp) -> None:
        """``App._new_transport`` exists, is what ``App.transport`` calls, and so our consumer is the one that runs."""
        assert callers(app_module, "_new_transport", "self") == {"transport"}
        assert isinstance(app.transport, TransactionalTransport)
        assert app.transport.Consumer is TransactionalConsumer
        assert "Consumer(" in inspect.getsource(type(app.transport).create_consumer)

    def test_every_commit_of_offsets_goes_through_consumer_commit(self) -> None:
        """A transaction is committed by ``Consumer.commit`` only, which we override, and by no shortcut past it."""
        assert callers(consumer_module, "commit", "transactions") == {"_commit_offsets"}
        assert callers(consumer_module, "_commit_offsets") == {"_commit_tps"}
        assert callers(consumer_module, "_commit_tps") == {"force_commit"}
        assert callers(consumer_module, "force_commit") == {"commit"}
        files = [path for path in FAUST.rglob("*.py") if "force_commit(" in path.read_text(encoding="utf-8")]
        assert files == [FAUST / "transport" / "consumer.py"]
        assert callers(driver, "commit_transaction", "self") == set()
        assert callers(consumer_module, "commit_transactions") == {"commit"}

    def test_commit_takes_what_we_pass_on(self) -> None:
        """``Consumer.commit(topics, start_new_transaction)`` has these arguments, in this order, as ours has."""
        assert parameters(Consumer.commit) == ["self", "topics", "start_new_transaction"]
        assert parameters(TransactionalConsumer.commit) == ["self", "topics", "start_new_transaction"]
        assert TransactionalConsumer.commit is not Consumer.commit

    def test_the_last_commit_opens_no_transaction(self) -> None:
        """A consumer that stops commits with ``start_new_transaction=False``: how we know that no batch may follow."""
        source = inspect.getsource(Consumer.commit_and_end_transactions)
        assert "self.commit(start_new_transaction=False)" in source
        assert "self.commit_and_end_transactions()" in inspect.getsource(Consumer.on_stop)

    def test_the_producer_sends_in_a_named_transaction(self) -> None:
        """``Producer.send`` takes the transactional id, and takes our arguments in our order."""
        names = parameters(driver.Producer.send)
        assert names[:7] == ["self", "topic", "key", "value", "partition", "timestamp", "headers"]
        assert "transactional_id" in names

    def test_transactional_ids_are_those_of_the_source_partition(self, app: LineApp) -> None:
        """Faust starts its transactions under the ids that we send with: app, group of topics, partition."""
        assert TransactionManager.transactional_id_format == "{group_id}-{tpg.group}-{tpg.partition}"
        app.assignor._topic_groups = {"t": 7}
        ours = app._transactional_id(TP("t", 3))
        manager = SimpleNamespace(
            app=app,
            transactional_id_format=TransactionManager.transactional_id_format,
            _tps_to_active_tpgs=lambda tps: TransactionManager._tps_to_active_tpgs(manager, tps),
        )
        assert TransactionManager._tps_to_transactional_ids(manager, {TP("t", 3)}) == {ours} == {"line-of-the-test-7-3"}

    def test_stopping_a_transaction_forgets_its_producer(self) -> None:
        """``stop_transaction`` stops a producer and forgets it: the next one starts with a clean transaction."""

        class Stub:
            stopped = False

            async def stop(self) -> None:
                self.stopped = True

        stub = Stub()
        producer = SimpleNamespace(_transaction_producers={"id": stub})
        asyncio.run(driver.Producer.stop_transaction(producer, "id"))
        asyncio.run(driver.Producer.stop_transaction(producer, "id"))
        assert stub.stopped
        assert producer._transaction_producers == {}

    def test_messages_know_their_generation(self, app: LineApp) -> None:
        """A message carries the generation of the group in which it was fetched: older ones are told apart by it."""
        assert "generation_id=self.app.consumer_generation_id" in inspect.getsource(driver.Consumer._to_message)
        message = Message("t", 0, 0, 0.0, 0, None, None, None, None, generation_id=4)
        app.consumer_generation_id = 4
        assert app.is_current(message)
        app.consumer_generation_id = 5
        assert not app.is_current(message)

    def test_copartitioned_topics_are_one_group(self, app: LineApp) -> None:
        """Topics of equal partition count, read by the same members, form one group: partition n of both goes together.

        Round robin, which Faust takes without standby replicas, would part them.
        """
        groups = PartitionAssignor._get_copartitioned_groups(
            {"a", "b", "c"}, cluster(a=4, b=4, c=1), {"one": ["a", "b", "c"], "two": ["a", "b", "c"]}
        )
        assert {count: [sorted(topics) for topics in found] for count, found in groups.items()} == {
            4: [["a", "b"]],
            1: [["c"]],
        }
        assert isinstance(app.assignor, PartitionAssignor)


def cluster(**partitions: int) -> ClusterMetadata:
    """Return what a consumer knows of a cluster with these topics."""
    found = ClusterMetadata()
    topics = [(0, name, [(0, number, 0, [0], [0]) for number in range(count)]) for name, count in partitions.items()]
    found.update_metadata(MetadataResponse_v0([(0, "host", 1)], topics))
    return found


class TestWhatBatchedDeliveryLeansOn:
    def test_the_transport_makes_our_producer(self, app: LineApp) -> None:
        """``Transport.create_producer`` makes the class that the transport names."""
        assert app.transport.Producer is BatchProducer
        assert "self.Producer(" in inspect.getsource(type(app.transport).create_producer)

    def test_the_consumer_fetches_by_partition(self) -> None:
        """``getmany`` gets lists of records by partition from ``_wait_next_records``, and which are active."""
        source = inspect.getsource(Consumer.getmany)
        assert "records, active_partitions = await self._wait_next_records(timeout)" in source
        assert "self._buffered_partitions" in source
        assert parameters(ChunkConsumer.getmany) == parameters(Consumer.getmany) == ["self", "timeout"]

    def test_offsets_come_from_what_was_acknowledged(self) -> None:
        """The offset to commit is the one after the last record of the newest acknowledged chunk, and is told once."""
        consumer = SimpleNamespace(_acked={TP("t", 0): [511, 255]}, _acked_index={TP("t", 0): {255, 511}})
        assert ChunkConsumer._new_offset(consumer, TP("t", 0)) == 512  # type: ignore[arg-type]
        assert ChunkConsumer._new_offset(consumer, TP("t", 0)) is None  # type: ignore[arg-type]
        assert consumer._acked_index == {TP("t", 0): set()}
        assert parameters(Consumer._new_offset) == ["self", "tp"]
        assert callers(consumer_module, "_new_offset", "self") == {"_filter_committable_offsets"}

    def test_events_come_from_the_compiled_iterator(self) -> None:
        """Streams take events from Faust's compiled iterator: the one in Python acknowledges stale chunks by itself."""
        assert streams_module._CStreamIterator is not None

    def test_fetches_wait_as_long_as_told(self) -> None:
        """Aiokafka's fetcher reads its wait anew for every fetch, and the thread that Faust starts is ours."""
        assert "self._fetch_max_wait_ms," in inspect.getsource(Fetcher._get_actions_per_node)
        fetcher = SimpleNamespace(_fetch_max_wait_ms=1500)
        ConsumerThread.let_fetches_wait(SimpleNamespace(_consumer=SimpleNamespace(_fetcher=fetcher)), 10)  # type: ignore[arg-type]
        assert fetcher._fetch_max_wait_ms == 10
        made = "AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon)"
        assert made in inspect.getsource(driver.Consumer._new_consumer_thread)
        assert "self._thread = self._new_consumer_thread()" in inspect.getsource(ThreadDelegateConsumer)

    def test_gaps_are_told_to_one_method(self) -> None:
        """Gaps between messages, which chunks have by nature, are kept by ``_add_gap`` alone."""
        assert callers(consumer_module, "_add_gap", "self") == {"_drain_messages"}
        assert parameters(ChunkConsumer._add_gap) == parameters(Consumer._add_gap)

    def test_the_commit_timer_is_ours(self) -> None:
        """Faust starts the task ``_commit_handler`` of the class, so that overriding it replaces the timer."""
        assert isinstance(vars(Consumer)["_commit_handler"], ServiceTask)
        assert isinstance(vars(TransactionalConsumer)["_commit_handler"], ServiceTask)
        assert "_commit_handler" not in inspect.getsource(driver)

    def test_transactions_are_committed_through_the_producer(self) -> None:
        """The transaction manager ends transactions with ``Producer.commit_transactions``, with these arguments."""
        assert parameters(BatchProducer.commit_transactions) == parameters(driver.Producer.commit_transactions)
        assert callers(consumer_module, "commit_transactions", "producer") == {"commit"}

    def test_batches_belong_to_their_transaction(self) -> None:
        """A batch, to aiokafka, is refused outside a transaction, and adds its partition to one."""
        assert "is_in_transaction()" in inspect.getsource(AIOKafkaProducer.send_batch)
        assert "maybe_add_partition_to_txn" in inspect.getsource(MessageAccumulator._append_batch)
        assert "is_transactional" in inspect.getsource(MessageAccumulator.create_builder)


class TestWhatStoppingLeansOn:
    def test_the_worker_ends_its_loop_in_one_place(self) -> None:
        """Mode ends its event loop in ``_shutdown_loop``, where ours leaves out two seconds of sleep."""
        assert callers(worker_module, "_shutdown_loop", "self") == {"stop_and_shutdown"}
        assert "self._gather_futures()" in inspect.getsource(mode.Worker._shutdown_loop)
        assert "self.crash_reason" in inspect.getsource(mode.Worker._shutdown_loop)


class TestChunk:
    def test_a_chunk_stands_for_its_records(self) -> None:
        """A chunk has the offset of its last record and the generation in which it was fetched."""
        records = [record(offset) for offset in (7, 8, 11)]
        chunk = Chunk.of(TP("t", 3), records, 5)
        assert (chunk.topic, chunk.partition, chunk.offset, chunk.generation_id) == ("t", 3, 11, 5)
        assert chunk.records == records

    def test_what_a_full_batch_cannot_take_goes_into_the_next(self) -> None:
        """Messages are cut into batches of the producer's size, none lost, in order; a larger one travels alone."""
        values = [b"a" * 400, b"b" * 400, b"c" * 5000, b"d"]
        messages = [Outgoing("t", b"key", value, [("ce_id", b"1")]) for value in values]
        producer: Any = SimpleNamespace(create_batch=lambda: BatchBuilder(1000, 0, is_transactional=True))
        batches = list(_batches(producer, messages))
        assert all(batch.closed() for batch in batches)
        read = [[one.value for one in DefaultRecordBatch(bytes(batch._build()))] for batch in batches]
        assert read == [[b"a" * 400, b"b" * 400], [b"c" * 5000], [b"d"]]


def record(offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t", 3, offset, 1_700_000_000_000, 0, b"key", b"value", None, 3, 5, ())


class TestGate:
    def test_a_commit_waits_for_the_batch(self) -> None:
        """No commit begins while a batch is half way, and no batch while a commit is."""

        async def go() -> list[str]:
            gate, said = Gate(), []
            inside, leave = asyncio.Event(), asyncio.Event()

            async def batch() -> None:
                async with gate.batch():
                    inside.set()
                    await leave.wait()
                    said.append("batch done")

            async def commit() -> None:
                async with gate.commit() as turn:
                    said.append(f"commit allowed={turn.allowed}")

            tasks = [asyncio.create_task(batch())]
            await inside.wait()
            tasks += [asyncio.create_task(commit()), asyncio.create_task(batch())]
            for _ in range(10):
                await asyncio.sleep(0)
            assert said == []
            leave.set()
            await asyncio.gather(*tasks)
            return said

        assert asyncio.run(go()) == ["batch done", "commit allowed=True", "batch done"]

    def test_a_batch_steps_while_a_commit_waits_for_kafka(self) -> None:
        """Once its checkpoints are taken, a commit lets the next batch step; it sends when the commit is done."""

        async def go() -> list[str]:
            gate, said = Gate(), []
            stepped, committed = asyncio.Event(), asyncio.Event()

            async def commit() -> None:
                async with gate.commit() as turn:
                    turn.let_batches_go_on()
                    turn.let_batches_go_on()
                    await stepped.wait()
                    for _ in range(10):
                        await asyncio.sleep(0)
                    said.append("committed")
                committed.set()

            async def batch() -> None:
                async with gate.batch():
                    said.append("stepped")
                    stepped.set()
                    async with gate.sending():
                        said.append("sent")

            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                group.create_task(commit())
                await asyncio.sleep(0)
                group.create_task(batch())
            return said

        assert asyncio.run(go()) == ["stepped", "committed", "sent"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_a_batch_that_breaks_off_poisons(self, error: type[BaseException]) -> None:
        """After a batch that ended by any exception there is no commit any more, and the exception goes on."""

        async def go() -> bool:
            gate = Gate()
            with pytest.raises(error):
                async with gate.batch():
                    raise error
            async with gate.commit() as turn:
                return turn.allowed

        assert asyncio.run(go()) is False

    def test_a_cancelled_batch_poisons(self) -> None:
        """A task that is cancelled half way through a batch poisons the gate; one that only waited for it does not."""

        async def go() -> tuple[bool, bool]:
            gate = Gate()
            inside = asyncio.Event()

            async def batch() -> None:
                async with gate.batch():
                    inside.set()
                    await asyncio.Event().wait()

            holding = asyncio.create_task(batch())
            await inside.wait()
            waiting = asyncio.create_task(batch())
            for _ in range(10):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            before = gate.poisoned
            holding.cancel()
            await asyncio.wait([holding])
            return before, gate.poisoned

        assert asyncio.run(go()) == (False, True)

    def test_a_whole_batch_does_not_poison(self) -> None:
        """Batches that come to their end leave the gate open for commits."""

        async def go() -> bool:
            gate = Gate()
            for _ in range(3):
                async with gate.batch():
                    await asyncio.sleep(0)
            async with gate.commit() as turn:
                return turn.allowed

        assert asyncio.run(go()) is True


class TestCommit:
    """The commit of our consumer, with Faust's own replaced by a note of the call."""

    @pytest.fixture
    def said(self) -> list[str]:
        return []

    @pytest.fixture
    def consumer(self, app: LineApp, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
        async def commit(_: Any, topics: Any, start_new_transaction: bool) -> bool:
            said.append(f"commit {topics} {start_new_transaction}")
            return True

        def take(*, last: bool) -> list[Checkpoint]:
            said.append("all checkpoints" if last else "checkpoints")
            return [Checkpoint(TP("t", 0), [], {TP("t", 0): 7})]

        async def again(offsets: dict[TP, int], start_new_transaction: bool) -> bool:
            assert all(isinstance(place, TopicPartition) for place in offsets)  # aiokafka refuses any other
            said.append(f"again {list(offsets.values())} {start_new_transaction}")
            return True

        async def emit(source: TP, _: object) -> None:
            said.append(f"sent {source.topic}")

        monkeypatch.setattr(Consumer, "commit", commit)
        app.take_checkpoints = take
        monkeypatch.setattr(app, "emit", emit)
        app.after_commit = lambda: said.append("after")
        app.on_last_commit = lambda: said.append("last")
        consumer = TransactionalConsumer.__new__(TransactionalConsumer)
        consumer.app, consumer._acked = app, {TP("t", 0): [6]}
        monkeypatch.setattr(consumer, "_commit_offsets", again)
        return consumer

    def test_a_checkpoint_without_new_offsets_is_committed_with_the_old_ones(
        self, consumer: Any, said: list[str]
    ) -> None:
        """A checkpoint that was put off leaves no transaction open when no record follows it."""
        consumer._acked.clear()
        assert asyncio.run(consumer.commit()) is True
        assert said == ["checkpoints", "sent t", "commit None True", "again [7] True", "after"]

    def test_checkpoints_come_before_the_commit(self, consumer: Any, said: list[str]) -> None:
        """A commit first writes the checkpoints, then commits, then counts."""
        assert asyncio.run(consumer.commit()) is True
        assert said == ["checkpoints", "sent t", "commit None True", "after"]

    def test_a_poisoned_gate_commits_nothing(self, app: LineApp, consumer: Any, said: list[str]) -> None:
        """After a broken batch neither checkpoints nor offsets are written."""
        app.gate.poisoned = True
        assert asyncio.run(consumer.commit()) is False
        assert said == []

    def test_the_last_commit_is_announced(self, consumer: Any, said: list[str]) -> None:
        """At the commit after which no transaction is open, the line is told first, with the gate held."""
        asyncio.run(consumer.commit(start_new_transaction=False))
        assert said == ["last", "all checkpoints", "sent t", "commit None False", "after"]

    def test_nothing_is_committed_while_a_rebalance_begins(
        self, consumer: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the moment that Faust forgets acknowledgements until transactions are given up there is no commit.

        What is acknowledged between would be committed alone, with the answers of other topics in its transaction.
        """

        async def revoked(*_: Any) -> None:
            said.append(f"revoked, committed: {await consumer.commit()}")

        monkeypatch.setattr(Consumer, "on_partitions_revoked", revoked)
        asyncio.run(consumer.on_partitions_revoked(set()))
        assert said == ["revoked, committed: False"]

    def test_a_commit_that_fails_poisons(self, consumer: Any, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """After a commit that broke off there is no other, not even the last one of a consumer that stops."""

        async def fail(*_: Any) -> bool:
            raise ProducerSendError("fenced")

        monkeypatch.setattr(Consumer, "commit", fail)
        with pytest.raises(ProducerSendError):
            asyncio.run(consumer.commit())
        assert asyncio.run(consumer.commit(start_new_transaction=False)) is False
        assert said == ["checkpoints", "sent t", "last"]

    def test_transactions_end_together_and_the_first_failure_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One partition's refused transaction is an error, which comes once those of the others have ended."""
        ended: list[str] = []

        async def commit(_: Any, offsets: dict[str, Any], *__: Any) -> None:
            (one,) = offsets
            if one == "bad":
                raise ProducerFenced
            await asyncio.sleep(0)
            ended.append(one)

        monkeypatch.setattr(driver.Producer, "commit_transactions", commit)
        producer = BatchProducer.__new__(BatchProducer)
        producer._sent = defaultdict(list)
        with pytest.raises(ProducerSendError, match="bad"):
            asyncio.run(producer.commit_transactions({"bad": {}, "good": {}}, "group"))
        assert ended == ["good"]
