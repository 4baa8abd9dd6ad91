"""Graphs larger and stranger than any file at hand, for what must hold at 50,000 nodes."""

from __future__ import annotations

from random import Random

from graph.made_graphs import Made, transformer

from mlnb.graph.graph import Graph

NODES_A_BLOCK = 48
"""Of the made transformer, constants and shape arithmetic among them."""


def deep_transformer(nodes: int) -> Graph:
    """As an exporter writes it: modules in modules, some hundred weights, shape arithmetic."""
    return transformer(nodes // NODES_A_BLOCK)


def branching_chain(nodes: int, seed: int = 5) -> Graph:
    """A file that names no module: one long chain with branches that part and join at random."""
    random = Random(seed)
    made = Made("x")
    plain = ["Conv", "Relu", "MatMul", "Add", "Sigmoid", "BatchNormalization", "Mul"]
    recent = ["x"]
    while len(made.nodes) < nodes:
        luck = random.random()
        if luck < 0.3:
            made_now = made.add("Add", recent[-1], random.choice(recent[-12:]))
        elif luck < 0.4:
            side = made.add(random.choice(plain), random.choice(recent[-3:]))
            made_now = made.add("Concat", recent[-1], side)
        else:
            made_now = made.add(random.choice(plain), recent[-1])
        recent = [*recent[-20:], made_now]
    return made.graph(recent[-1])


def wide_fan(nodes: int) -> Graph:
    """One row of operations that all read one input and all feed one sum."""
    made = Made("x")
    return made.graph(made.add("Sum", *[made.add("Conv", "x") for _ in range(nodes - 1)]))


def many_inputs(count: int) -> Graph:
    """As many inputs and outputs as others have nodes."""
    names = [f"x{i}" for i in range(count)]
    made = Made(*names)
    return made.graph(*[made.add("Relu", name) for name in names])
