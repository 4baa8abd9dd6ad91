"""`backward(loss)`: the gradients of a loss, on a CPU without the detours around the engine.

`Tensor.backward` checks what may be given, makes a gradient of 1 and keeps the context for the
threads of a device: on a net of a few layers that is a twentieth of the step. A plain loss on a
CPU needs none of it, and goes to the same engine with the same arguments.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import Variable

_ONES: dict[torch.dtype, Tensor] = {}


def backward(loss: Tensor) -> None:
    """Add the gradients of a loss to the parameters that it came from.

    >>> loss = nn.functional.cross_entropy(net(x), y)
    >>> backward(loss)

    Args:
        loss: one number; whatever else it is, `loss.backward()` decides.

    Raises:
        RuntimeError: as `loss.backward()` does.
    """
    if type(loss) is not Tensor or loss.ndim or not loss.is_cpu:
        loss.backward()
        return
    one = _ONES.get(loss.dtype)
    if one is None:
        one = _ONES[loss.dtype] = torch.ones((), dtype=loss.dtype)
    Variable._execution_engine.run_backward(
        (loss,), (one,), False, False, (), allow_unreachable=True, accumulate_grad=True
    )
