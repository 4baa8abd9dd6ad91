"""A network as plain torch source: what one would have written by hand.

The calls are printed in the order in which they were made, so that the same seed gives the same
weights. Blocks that torch.nn lacks are printed with it, so that nothing of mlnb is needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.errors import LayerError
from mlnb.formatting import display_text
from mlnb.networks import blocks
from mlnb.networks.building import Part
from mlnb.networks.calls import Call

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder

WIDTH = 96
_STEP = "    "


def network_code(net: Holder) -> str:
    """The source; executed, its variable `module` equals `net.module`.

    Raises:
        LayerError: a module or function that has no source to print.
    """
    from mlnb.networks.network import Network

    writer = _Writer()
    if isinstance(net, Network):
        body = _wired(net, writer)
    elif net.built or not net.parts:
        body = f"module = {writer.sequence(net.parts, 0)}\n"
    else:
        source = _described(net.module)
        if source is None:
            raise LayerError("This network wraps a module; its source is where it was written.")
        body = f"module = {source}\n"
    return writer.head() + body


class _Writer:
    """Prints calls, and remembers what must stand above them."""

    def __init__(self) -> None:
        self.classes: dict[str, type] = {}
        self.ordered = False

    def head(self) -> str:
        """The imports and the classes."""
        lines = ["from __future__ import annotations", ""]
        if self.ordered:
            lines.append("from collections import OrderedDict")
        if "Function" in self.classes:
            lines.append("from collections.abc import Callable")
        lines += ["", "import torch", "from torch import nn", "", ""]
        text = "\n".join(lines).replace("\n\n\nimport", "\n\nimport")
        sources = [inspect.getsource(cls).rstrip() for cls in self.classes.values()]
        return text + "".join(f"{source}\n\n\n" for source in sources)

    def sequence(self, parts: Sequence[Part], depth: int, kind: str = "nn.Sequential") -> str:
        """Parts with their names."""
        self.ordered = True
        inside = _STEP * (depth + 1)
        items = "".join(f'{inside}("{p.name}", {self.part(p, depth + 1)}),\n' for p in parts)
        return f"{kind}(OrderedDict([\n{items}{_STEP * depth}]))" if parts else f"{kind}()"

    def part(self, part: Part, depth: int) -> str:
        """One module."""
        return self.foreign(part) if part.call is None else self.call(part.call, depth)

    def call(self, call: Call, depth: int) -> str:
        """A class and what it is called with, in one line where that is short."""
        if call.target is nn.Sequential and call.args and isinstance(call.args[0], Part):
            return self.sequence(call.args, depth)
        args = [self.call(a, depth + 1) if isinstance(a, Call) else repr(a) for a in call.args]
        args += [f"{key}={value!r}" for key, value in call.options.items()]
        name = self.name(call.target)
        line = f"{name}({', '.join(args)})"
        if "\n" not in line and len(line) + 4 * depth <= WIDTH - 20:
            return line
        inside = _STEP * (depth + 1)
        return f"{name}(\n" + "".join(f"{inside}{a},\n" for a in args) + f"{_STEP * depth})"

    def name(self, target: Callable[..., Any]) -> str:
        """A class of torch by its module; one of ours is printed above."""
        if target.__module__ == blocks.__name__:
            assert isinstance(target, type)
            self.classes[target.__name__] = target
            return target.__name__
        return f"nn.{target.__name__}"

    def foreign(self, part: Part) -> str:
        """A module of torch.nn as it describes itself, a function of torch by its name."""
        if isinstance(part.module, blocks.Function):
            function = part.module.function
            name = getattr(function, "__name__", "")
            for home, prefix in ((torch, "torch"), (nn.functional, "nn.functional")):
                if name and getattr(home, name, None) is function:
                    return f"{self.name(blocks.Function)}({prefix}.{name})"
            raise LayerError(
                f"`{part.name}` is a function of your own, which has no source to print here. "
                f"Write it as a torch.nn.Module in a file, or use a word."
            )
        described = _described(part.module)
        if described is None:
            kind = display_text(type(part.module).__name__)
            raise LayerError(
                f"`{part.name}` is a module of your own ({kind}), which has no source to print "
                f"here; everything else of the network has."
            )
        return described


def _described(module: nn.Module) -> str | None:
    """How a layer of torch.nn says it was made, where that makes an equal one."""
    if not type(module).__module__.startswith("torch.nn.modules") or list(module.children()):
        return None
    text = f"nn.{module!r}"
    try:
        made = eval(text, {"nn": nn})  # torch's own words about its own class
    except Exception:  # noqa: BLE001
        return None
    equal = repr(made) == repr(module) and type(made) is type(module)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (made, module)]
    return text if equal and shapes[0] == shapes[1] else None


# ---------------------------------------------------------------------------- several inputs


def _wired(net: Any, writer: _Writer) -> str:
    """A class with the layers in it and a forward that names every step."""
    layers = writer.sequence(net.parts, 2, "nn.ModuleDict")
    wired = net.module
    names = _variables([*wired.inputs, *wired.wiring])
    lines = [
        f"        {names[name]} = self.layers[{name!r}]({', '.join(names[s] for s in sources)})"
        for name, sources in wired.wiring.items()
    ]
    outputs = [f"{name!r}: {names[source]}" for name, source in wired.outputs.items()]
    only = names[next(iter(wired.outputs.values()))]
    result = only if len(outputs) == 1 else "{" + ", ".join(outputs) + "}"
    signature = ", ".join(names[name] for name in wired.inputs)
    return "\n".join(
        [
            "class Net(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            f"        self.layers = {layers}",
            "",
            f"    def forward(self, {signature}):",
            *lines,
            f"        return {result}",
            "",
            "",
            "module = Net()",
            "",
        ]
    )


def _variables(names: Iterable[str]) -> dict[str, str]:
    """Names as Python can hold them, no two alike."""
    import keyword

    taken: dict[str, str] = {}
    for name in names:
        text = "".join(c if c.isalnum() else "_" for c in name)
        if not text.isidentifier() or keyword.iskeyword(text) or text in ("self", "torch", "nn"):
            text = f"x_{text}"
        while text in taken.values():
            text += "_"
        taken[name] = text
    return taken
