"""What LiteRT itself says of files and answers: in a process of its own, as a child would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_CODE = """
import json, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

def told(detail):
    scales = detail["quantization_parameters"]["scales"].tolist()
    return {
        "name": detail["name"],
        "dtype": "string" if detail["dtype"] is np.bytes_ else np.dtype(detail["dtype"]).name,
        "shape": [None if size < 0 else size for size in detail["shape_signature"].tolist()],
        "scale": scales,
        "zero_point": detail["quantization_parameters"]["zero_points"].tolist(),
    }

said = []
for path in sys.argv[1:]:
    one = Interpreter(path)
    inputs = [told(each) for each in one.get_input_details()]
    outputs = [told(each) for each in one.get_output_details()]
    ops = [each["op_name"] for each in one._get_ops_details()]
    said.append({
        "inputs": inputs,
        "outputs": outputs,
        "ops": [op for op in ops if op != "DELEGATE"],
        "signatures": sorted(one.get_signature_list()),
        "tensors": [each["name"] for each in one.get_tensor_details()],
    })
print("\\n" + json.dumps(said))
"""


def litert_says(*paths: Path) -> list[dict[str, Any]]:
    """Inputs, outputs, operators, signatures and tensors of each file."""
    command = [sys.executable, "-c", _CODE, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return said
