"""What TensorFlow itself says of models, and models that only it can make; a process of its own.

Run as `python tensorflow_says.py FOLDER MODEL...`: it makes its models in the folder, and prints
what goes into and comes out of each model as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def says(folder: Path, models: list[Path]) -> dict[str, Any]:
    """Ask in another process: TensorFlow is imported neither here nor in the kernel."""
    command = [sys.executable, __file__, str(folder), *map(str, models)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def spec(dtype: Any, shape: Any) -> list[Any]:
    sizes = None if shape.rank is None else list(shape.as_list())
    return ["string" if dtype.name == "string" else dtype.name, sizes]


def graph_def(tf: Any, path: str) -> dict[str, Any]:
    """The placeholders, and the operations that give something which nobody reads."""
    proto = tf.compat.v1.GraphDef()
    proto.ParseFromString(Path(path).read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(proto, name="")
    inputs, outputs = {}, {}
    for operation in graph.get_operations():
        found = inputs if operation.type == "Placeholder" else outputs
        if operation.outputs and not any(out.consumers() for out in operation.outputs):
            found[operation.name] = spec(operation.outputs[0].dtype, operation.outputs[0].shape)
        elif operation.type == "Placeholder":
            inputs[operation.name] = spec(operation.outputs[0].dtype, operation.outputs[0].shape)
    shapes = {
        out.name: spec(out.dtype, out.shape)[1]
        for operation in graph.get_operations()
        for out in operation.outputs
    }
    ops = [n.op for n in proto.node]
    return {"inputs": inputs, "outputs": outputs, "ops": ops, "shapes": shapes}


def saved_model(tf: Any, path: str) -> dict[str, Any]:
    """Every signature, from the loaded model."""
    loaded = tf.saved_model.load(path)
    found = {}
    for name, function in loaded.signatures.items():
        inputs = function.structured_input_signature[1]
        outputs = function.structured_outputs
        found[name] = {
            "inputs": {key: spec(one.dtype, one.shape) for key, one in inputs.items()},
            "outputs": {key: spec(one.dtype, one.shape) for key, one in outputs.items()},
        }
    return found


def make(tf: Any, folder: Path) -> None:
    """A SavedModel with variables, a table filled from an asset, a loop, a branch, and Python."""
    words = folder / "words.txt"
    words.write_text("dog\ncat\n")

    class Model(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable([[1.0], [2.0]])
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    str(words),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                -1,
            )

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
        def predict(self, x: Any) -> dict[str, Any]:
            total = tf.while_loop(lambda i, _: i < 3, lambda i, t: (i + 1, t + x), [0, x])[1]
            chosen = tf.cond(tf.reduce_sum(x) > 0, lambda: total, lambda: -total)
            return {"y": tf.linalg.matmul(chosen, self.weight)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "word")])
        def look_up(self, word: Any) -> dict[str, Any]:
            return {"index": self.table.lookup(word)}

        @tf.function(input_signature=[tf.TensorSpec([], tf.string, "path")])
        def read(self, path: Any) -> dict[str, Any]:
            return {"content": tf.io.read_file(path)}

    model = Model()
    signatures = {"serving_default": model.predict, "words": model.look_up, "read": model.read}
    tf.saved_model.save(model, str(folder / "everything"), signatures=signatures)
    tf.saved_model.save(model, str(folder / "without_signatures"))
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], "x")
        i = tf.constant(0)
        tf.compat.v1.disable_control_flow_v2()
        out = tf.while_loop(lambda i, _: i < 3, lambda i, t: (i + 1, t + x), [i, x])[1]
        tf.identity(out, "y")
        (folder / "loop.pb").write_bytes(graph.as_graph_def().SerializeToString())
    make_layers(tf, folder / "layers.pb")


def make_layers(tf: Any, path: Path) -> None:
    """A graph of all the operations whose shapes our reader works out, in odd sizes."""
    nn = tf.nn

    def zeros(sizes: list[int]) -> Any:
        return tf.constant(0.0, tf.float32, sizes)

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 29, 31, 6], "x")
        y = tf.compat.v1.placeholder(tf.float32, [2, 6, 29, 31], "y")
        ids = tf.compat.v1.placeholder(tf.int32, [None, 5], "ids")
        kernel, deep = zeros([3, 4, 6, 10]), zeros([3, 3, 6, 2])
        for padding in ("SAME", "VALID"):
            nn.conv2d(x, kernel, [1, 2, 3, 1], padding)
            nn.conv2d(x, kernel, 1, padding, dilations=[1, 3, 2, 1])
            nn.conv2d(y, kernel, [1, 1, 2, 2], padding, data_format="NCHW")
            nn.depthwise_conv2d(x, deep, [1, 2, 2, 1], padding)
            nn.max_pool2d(x, [1, 3, 2, 1], [1, 2, 2, 1], padding)
            nn.avg_pool2d(y, [1, 1, 3, 3], [1, 1, 2, 2], padding, data_format="NCHW")
            nn.conv3d(tf.expand_dims(x, -1), zeros([2, 2, 2, 1, 3]), [1, 1, 2, 2, 1], padding)
        nn.conv2d(x, kernel, 1, [[0, 0], [1, 2], [0, 1], [0, 0]], name="explicit")
        nn.bias_add(nn.relu(x), zeros([6])) + zeros([31, 1])
        flat = tf.reshape(x, [-1, 29 * 31 * 6])
        tf.matmul(flat, zeros([7, 29 * 31 * 6]), transpose_b=True)
        tf.matmul(zeros([2, 1, 4, 3]), zeros([5, 3, 8]))
        tf.matmul(zeros([4, 3]), zeros([4, 8]), transpose_a=True)
        tf.reshape(y, [2, -1]), tf.reshape(y, [4, 3, 899])
        tf.reduce_mean(x, [1, 2]), tf.reduce_max(x, [-1], keepdims=True)
        tf.squeeze(tf.reduce_mean(x, [1, 2], keepdims=True), [1, 2]), tf.squeeze(zeros([1, 4]))
        tf.expand_dims(x, -1), tf.expand_dims(x, 1), tf.transpose(x, [0, 3, 1, 2])
        tf.concat([x, x], -1), tf.concat([x, nn.relu(x)], 1)
        tf.pad(x, [[0, 0], [1, 2], [3, 0], [0, 0]])
        tf.compat.v1.image.resize_bilinear(x, [40, 50])
        tf.greater(tf.cast(ids, tf.float32), 0.0)
        path.write_bytes(graph.as_graph_def().SerializeToString())


def registry() -> dict[str, Any]:
    """For each operation, its outputs: a fixed dtype, or the attribute that tells it."""
    from tensorflow.core.framework import op_def_pb2, types_pb2
    from tensorflow.python.client import pywrap_tf_session

    found = op_def_pb2.OpList()
    found.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return {
        op.name: [
            [types_pb2.DataType.Name(out.type), out.type_attr, out.type_list_attr]
            for out in op.output_arg
        ]
        for op in found.op
    }


def main(folder: str, *models: str) -> None:
    import tensorflow as tf

    make(tf, Path(folder))
    answers = {}
    for path in (*models, *(str(Path(folder) / name) for name in ("everything",))):
        answers[path] = (saved_model if Path(path).is_dir() else graph_def)(tf, path)
    print()
    layers = graph_def(tf, str(Path(folder) / "layers.pb"))["shapes"]
    print(json.dumps({"models": answers, "layers": layers, "registry": registry()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
