"""`Sequential`: a network written layer by layer, in one cell or in many.

It holds an ordinary `torch.nn.Sequential` in `net.module` and is none itself: `train`, `eval` and
`compile` of a module mean other things than what one does with a network here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import nn

from mlnb.errors import LayerError, unknown
from mlnb.formatting import display_text, plural
from mlnb.networks.dry import dry_batch
from mlnb.networks.growing import Change, Start, grow_all, regrow_all
from mlnb.networks.holder import Holder
from mlnb.networks.layers import Layer, foreign, layer, recipe
from mlnb.networks.mistakes import shape_of
from mlnb.networks.shapes import first_dtype, named_dtype, sample_shape
from mlnb.networks.words import Words

if TYPE_CHECKING:
    from typing import Self

    from mlnb.networks.building import Built, Part
    from mlnb.networks.layers import Recipe


class Sequential(Holder, Words):
    """A chain of layers, each one put behind the last as soon as it is written.

    >>> net = Sequential(input_shape=(1, 28, 28)).conv2d(32, 3, "relu").max_pool2d(2)
    >>> net.flatten().dense(10).loss("cross_entropy").optimizer("adam", lr=1e-3)
    >>> run = net.fit(images, labels, epochs=5)
    >>> net.predict(images[0])  # ten probabilities

    Every word of `mlnb.networks.vocabulary` is a method. Sizes of inputs are inferred.

    Args:
        input_shape: of one sample, without the batch. Left out, the layers are kept and checked at
            the first data.
        name: for summaries, files and magics.
        dtype: of the input, `"float32"` or `"int64"`; where it is left out, whole numbers if the
            first layer is an embedding.
        module: any `torch.nn.Module`, to train, look at and keep like a network that was written.

    Raises:
        LayerError: a size that is no positive whole number.
    """

    def __init__(
        self,
        input_shape: int | Sequence[int] | None = None,
        name: str | None = None,
        *,
        dtype: str | torch.dtype | None = None,
        module: nn.Module | None = None,
    ) -> None:
        super().__init__(name or "network")
        self._shape = None if input_shape is None else sample_shape(input_shape)
        self._given_dtype = None if dtype is None else named_dtype(dtype)
        self._waiting: tuple[Layer, ...] = ()
        self._built: list[Built] = []
        self._names: set[str] = set()
        self._dry: Any = None
        self._wrapped = module
        self._chain: nn.Module = nn.Sequential()
        if module is not None:
            if not isinstance(module, nn.Module):
                given = type(module).__name__
                raise LayerError(f"module= expects a torch.nn.Module; received {given}.")
            self._chain = module
        known = self._shape is not None or module is not None
        self._forward: Callable[..., Any] = self._chain if known else self._not_yet

    # ------------------------------------------------------------------------------------ building

    def add(self, given: Recipe, *args: Any, name: str = "", **options: Any) -> Self:
        """Put a layer behind the last one; or several: a chain or list of them goes in wholly.

        >>> net.add("conv2d", 32, 3, "relu").add(nn.Hardtanh()).add(torch.square)

        Args:
            given: a word with its arguments, a `torch.nn.Module`, a function of tensors, a layer of
                `mlnb.networks.layers`, a chain, or a list of these.
            args: of the word, as in `net.conv2d(32, 3)`.
            name: of the layer.
            options: keywords of the word.

        Raises:
            LayerError: it cannot stand there; the network stays as it was.
        """
        if isinstance(given, str):
            return self._put(layer(given, *args, name=name, **options))
        if args or options:
            raise LayerError("Only a word takes arguments; give the module itself: add(module).")
        if callable(given) and not isinstance(given, Words):
            return self._put(foreign(given, name))
        return self._put_all(recipe(given))

    def _put(self, given: Layer, *others: Any) -> Self:
        if others:
            raise LayerError(f"`{given.word}` has several inputs only in a `Network`.")
        return self._put_all((given,))

    def _put_all(self, given: Sequence[Layer]) -> Self:
        self._refuse_wrapped()
        self._refuse_busy()
        if self._shape is None:
            self._waiting += tuple(given)
            return self
        try:
            built, dry = grow_all(given, self._start(), self._built, self._names, self._dry)
        except LayerError as error:  # the way through our own files says nothing to the user
            raise error.with_traceback(None) from error.__cause__
        self._append(built, dry)
        return self

    def _start(self) -> Start:
        assert self._shape is not None
        return Start(self._shape, self._given_dtype)

    def _append(self, grown: Sequence[Built], dry: Any) -> None:
        for built in grown:
            for part in built.parts:
                self._chain.add_module(part.name, part.module)
            self._names |= built.names
        self._built += grown
        self._dry = dry
        self._changed()

    def build(self, sample: Any) -> Self:
        """Give the network its input shape from data, where `input_shape` was left out.

        >>> net = Sequential().dense(20, "sigmoid").dense(10).build(features)

        Args:
            sample: a batch, [samples, …]; only its shape and dtype are looked at.

        Raises:
            LayerError: a layer that cannot stand where it stands, with its line.
        """
        if self._shape is not None or self._wrapped is not None:
            return self
        shape = tuple(getattr(sample, "shape", None) or torch.as_tensor(sample).shape)
        self._shape = sample_shape(shape[1:])
        try:
            waiting, self._waiting = self._waiting, ()
            built, dry = grow_all(waiting, self._start())
        except BaseException:
            self._shape, self._waiting = None, waiting
            raise
        self._append(built, dry)
        self._forward = self._chain
        return self

    def remove(self, name: str) -> Self:
        """Take a layer out; those behind it keep their weights where what comes stays the same.

        >>> net.remove("dropout")

        Args:
            name: of the layer.

        Raises:
            UnknownName: there is none, with the closest.
            LayerError: a layer behind it could not stand; the network stays as it was.
        """
        self._refuse_wrapped()
        if self._shape is None:
            self._waiting = tuple(x for x in self._waiting if (x.name or x.word) != name)
            return self
        self._index(name)
        left = [b for b in self._built if b.layer.name != name]
        self.become([b.layer for b in left])
        pairs = zip(self._built, left, strict=True)
        self._built = [replace(built, written=b.written) for built, b in pairs]
        return self

    def become(self, layers: Sequence[Layer]) -> tuple[str, ...]:
        """Hold other layers; weights whose shapes do not change are kept.

        Args:
            layers: all of them, in order; layers are recognised by name.

        Returns:
            The names of layers that stood already and have new weights.

        Raises:
            LayerError: one cannot stand; the network stays as it was.
        """
        return self.rewrite(layers).reset

    def rewrite(
        self,
        layers: Sequence[Layer],
        stood: Sequence[int | None] | None = None,
        input_shape: int | Sequence[int] | None = None,
    ) -> Change:
        """The same, with more to say on both sides.

        Args:
            layers: all of them, in order.
            stood: for each the place of the layer that it stands for; without it names tell.
            input_shape: of one sample, where it changes or is known from now on.

        Raises:
            LayerError: one cannot stand; the network stays as it was.
        """
        self._refuse_wrapped()
        self._refuse_busy()
        shape = self._shape if input_shape is None else sample_shape(input_shape)
        if shape is None:
            self._waiting = tuple(layers)
            return Change()
        start = Start(shape, self._given_dtype)
        try:
            built, dry, change = regrow_all(
                layers, start, self._built, stood if self._built else None
            )
        except LayerError as error:
            raise error.with_traceback(None) from error.__cause__
        for part in list(self._chain._modules):
            del self._chain._modules[part]
        self._shape, self._waiting, self._forward = shape, (), self._chain
        self._built, self._names, self._dry = [], set(), None
        self._append(built, dry)
        return change

    def _refuse_busy(self) -> None:
        if self._shape is not None or self._wrapped is not None:  # else there is nothing to train
            super()._refuse_busy()

    def _refuse_wrapped(self) -> None:
        if self._wrapped is not None:
            raise LayerError(
                "This network wraps a module, which is taken as it is. "
                "Begin with Sequential(input_shape=…).add(module) to put layers behind it."
            )

    # ------------------------------------------------------------------------------ what it holds

    @property
    def module(self) -> nn.Module:
        """The network as an ordinary `torch.nn.Module`.

        Raises:
            LayerError: no size is known yet.
        """
        if self._shape is None and self._wrapped is None and self._waiting:
            raise LayerError(
                "The sizes of this network are not known yet. "
                "Write Sequential(input_shape=…), or net.build(batch)."
            )
        return self._chain

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers as they were written; of a wrapped module none."""
        return tuple(built.layer for built in self._built) or self._waiting

    @property
    def written(self) -> tuple[Layer, ...]:
        """The same with those names alone that were given: what another network takes over."""
        return tuple(built.written for built in self._built) or self._waiting

    @property
    def built(self) -> tuple[Built, ...]:
        """The layers as they stand, with their modules and shapes."""
        return tuple(self._built)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The children of the module, in order."""
        return tuple(part for built in self._built for part in built.parts)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Of one sample; `None` while it is not known."""
        return self._shape

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Of one sample; `None` while it is not known, or where it is no single tensor."""
        return self._built[-1].gives if self._built else self._shape

    @property
    def input_dtype(self) -> torch.dtype:
        """What the layers are fed."""
        given = self.layers[0] if self.layers else None
        return self._given_dtype or (first_dtype(given) if given else torch.float32)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The same by the input's name; empty while it is not known."""
        return {} if self._shape is None else {"input": self._shape}

    def _ready_for(self, data: Any) -> None:
        if self._shape is None and self._wrapped is None and hasattr(data, "shape"):
            self.build(data)

    def _not_yet(self, *_: Any, **__: Any) -> Any:
        return self.module  # which raises, unless there is no layer

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the module gives, with gradients and in its present mode; `predict` has neither."""
        return self._forward(*args, **named)  # on ten microseconds a property would be seen

    def dry_inputs(self) -> tuple[Any, ...] | None:
        """Two zeros as the network takes them; `None` while the shape is not known."""
        if self._shape is None:
            return None
        return (dry_batch(self._shape, self.input_dtype),)

    def __len__(self) -> int:
        return len(self.layers) if self._wrapped is None else len(list(self._chain.children()))

    @overload
    def __getitem__(self, key: str) -> nn.Module: ...
    @overload
    def __getitem__(self, key: int) -> nn.Module: ...
    def __getitem__(self, key: str | int) -> nn.Module:
        children = dict(self.module.named_children())
        if isinstance(key, int):
            if self._wrapped is not None:
                return list(children.values())[key]
            return self._built[key].parts[0].module
        if key in children:
            return children[key]
        return self._built[self._index(key)].parts[0].module

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[at] for at in range(len(self)))

    def __contains__(self, name: object) -> bool:
        return any(given.name == name for given in self.layers)

    def _index(self, name: str) -> int:
        names = [built.layer.name for built in self._built]
        if name not in names:
            raise unknown("layer", name, names)
        return names.index(name)

    def __repr__(self) -> str:
        shown = f"Sequential({display_text(self.name)!r}"
        if self._shape is None and self._wrapped is None:
            return f"{shown}, {plural(len(self), 'layer')}, input shape not known yet)"
        if self._shape is not None:
            gives = self.output_shape
            shown += f", {shape_of(self._shape)} -> {shape_of(gives) if gives else '?'}"
        count = plural(self.parameter_count, "parameter")
        return f"{shown}, {plural(len(self), 'layer')}, {count})"
