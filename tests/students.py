"""Small students for tests: a table of votes as an ONNX graph, made in milliseconds, without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models import describe
from models.card import DataWindow, FeatureSpace, ModelCard
from models.ensemble import Served, serve
from models.records import CompilerErrors
from models.taxonomy import rule_for

BITS = 10
KNOWN = (
    *("TypeErrors", "OwnershipBorrow", "UndefinedVariable", "MethodNotFound"),
    *("TraitBounds", "LifetimeErrors", "ImportErrors", "ASTTransform"),
)


def votes(builds: Iterable[CompilerErrors], labels: tuple[str, ...], wrong: int = 0) -> np.ndarray:
    """Return a table of votes by feature, shape (2^BITS + 1, labels); ``wrong`` turns each label into another."""
    table = np.zeros(((1 << BITS) + 1, len(labels)), np.float32)
    for build in builds:
        for place, one in enumerate(build.diagnostics):
            rule = rule_for(one.code, one.message)
            if rule is None or rule.label not in labels:
                continue
            parts = describe.describe("category", one, place, len(build.diagnostics))
            rows = np.frombuffer(b"".join(part.hashes for part in parts), np.uint32) & ((1 << BITS) - 1)
            table[rows, (labels.index(rule.label) + wrong) % len(labels)] += 1.0
    return table


def graph(table: np.ndarray) -> bytes:
    """Return the ONNX graph that weighs and adds the votes of an example's rows up and makes probabilities of them."""
    shares = (table + 0.1) / (table + 0.1).sum(0, keepdims=True)  # naive Bayes
    known = np.log(shares) - np.log(shares).mean(1, keepdims=True)
    known[-1] = 0.0  # what examples are filled up with
    nodes = [
        helper.make_node("Gather", ["table", "rows"], ["found"], axis=0),
        helper.make_node("ReduceSum", ["found", "axis"], ["sums"], keepdims=0),
        helper.make_node("Softmax", ["sums"], ["probabilities"], axis=1),
    ]
    stored = [
        numpy_helper.from_array(known.astype(np.float32), "table"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]
    rows = helper.make_tensor_value_info("rows", TensorProto.INT32, ["examples", "features"])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["examples", table.shape[1]])
    made = helper.make_model(
        helper.make_graph(nodes, "student", [rows], [out], stored), opset_imports=[helper.make_opsetid("", 17)]
    )
    made.ir_version = 9
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def student(
    builds: Iterable[CompilerErrors],
    labels: tuple[str, ...] = KNOWN,
    *,
    name: str = "student-1",
    wrong: int = 0,
) -> tuple[bytes, bytes]:
    """Return card and graph of a student that has seen ``builds``; ``wrong`` makes it answer the wrong label."""
    weights = graph(votes(builds, labels, wrong))
    card = ModelCard(
        kind="student",
        name=name,
        task="category",
        labels=labels,
        features=FeatureSpace(describe="category", version=describe.VERSION, bits=BITS),
        data=DataWindow(train=1),
        scores={"macro_f1": 0.9},
        sha256=hashlib.sha256(weights).hexdigest(),
        size_bytes=len(weights),
    )
    return card.to_json(), weights


def served(builds: Iterable[CompilerErrors], *, name: str = "student-1", wrong: int = 0) -> Served:
    """Return such a student at the beginning of its test."""
    return serve(name, *student(builds, name=name, wrong=wrong))
