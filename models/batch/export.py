"""A student as ONNX: its table in 8-bit integers, one scale a column; what ``models.student`` serves.

The graph is put together node by node: it is small, so a tracer would only add its own versions and warnings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models import describe
from models.batch.dataset import Dataset
from models.batch.student_network import StudentNetwork
from models.card import FeatureSpace, ModelCard, write_model

OPSET = 17
IR_VERSION = 8  # ONNX Runtime 1.12 and newer
LARGEST = 127.0  # of a signed byte


def to_onnx(network: StudentNetwork) -> bytes:
    """Return the student as an ONNX graph from ``rows`` (examples, longest; int32) to ``shares`` (examples, labels).

    The table has one more row than 2^bits, all zeros, which pads examples to one length and is not counted.
    """
    weights = {name: one.detach().cpu().numpy().astype(np.float32) for name, one in network.state_dict().items()}
    table, scale = _quantised(weights["table.weight"])
    constants: dict[str, NDArray[Any]] = {
        "table": np.concatenate([table, np.zeros((1, table.shape[1]), np.int8)]),
        "scale": scale,
        "pad": np.array(1 << network.bits, np.int32),
        "places": np.array([1], np.int64),
        "one": np.array(1.0, np.float32),
        "bias": weights["bias"],
        "weight": weights["output.weight"].T.copy(),
        "output_bias": weights["output.bias"],
    }
    nodes = [
        helper.make_node("Gather", ["table", "rows"], ["bytes"], axis=0),
        helper.make_node("Cast", ["bytes"], ["embedded"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["embedded", "places"], ["sum"], keepdims=0),
        helper.make_node("Less", ["rows", "pad"], ["there"]),
        helper.make_node("Cast", ["there"], ["counted"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["counted", "places"], ["count"], keepdims=1),
        helper.make_node("Max", ["count", "one"], ["least"]),
        helper.make_node("Sqrt", ["least"], ["root"]),
        helper.make_node("Mul", ["sum", "scale"], ["scaled"]),
        helper.make_node("Div", ["scaled", "root"], ["x"]),
        helper.make_node("Add", ["x", "bias"], ["shifted"]),
        helper.make_node("Relu", ["shifted"], ["hidden"]),
        helper.make_node("Concat", ["x", "hidden"], ["both"], axis=1),
        helper.make_node("Gemm", ["both", "weight", "output_bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["shares"], axis=1),
    ]
    rows = helper.make_tensor_value_info("rows", TensorProto.INT32, ["examples", "longest"])
    shares = helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["examples", len(weights["output.bias"])])
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "student", [rows], [shares], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="jidoka")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _quantised(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the table in signed bytes, and what a unit of each column is worth."""
    scale = np.maximum(np.abs(table).max(axis=0), 1e-12) / LARGEST
    return np.rint(table / scale).astype(np.int8), scale.astype(np.float32)


def save_student(path: Path, network: StudentNetwork, dataset: Dataset, about: Mapping[str, Any]) -> ModelCard:
    """Write a student into folder ``path`` and return its card; ``about`` are further fields of the card."""
    features = FeatureSpace(describe=dataset.task, version=describe.VERSION, bits=network.bits)
    fields = {"kind": "student", "task": dataset.task, "labels": dataset.labels, "features": features, **about}
    return write_model(path, to_onnx(network), fields)
