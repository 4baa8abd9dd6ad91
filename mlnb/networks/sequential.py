"""`Sequential`: a network written layer by layer, in one cell or in many.

It holds an ordinary `torch.nn.Sequential` in `net.module` and is none itself: `train`, `eval` and
`compile` of a module mean other things than what one does with a network here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.errors import LayerError, unknown
from mlnb.formatting import display_text, plural
from mlnb.networks.building import Part, named_all
from mlnb.networks.dry import dry_batch
from mlnb.networks.growing import Chain, Change
from mlnb.networks.holder import Holder
from mlnb.networks.layers import Layer, foreign, layer, recipe
from mlnb.networks.mistakes import shape_of
from mlnb.networks.shapes import first_dtype, named_dtype, sample_shape
from mlnb.networks.words import Words

if TYPE_CHECKING:
    from typing import Self

    from mlnb.networks.building import Built
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
        if module is not None and not isinstance(module, nn.Module):
            given = type(module).__name__
            raise LayerError(f"module= expects a torch.nn.Module; received {given}.")
        self.wraps = module is not None
        self._module = nn.Sequential() if module is None else module
        self._dtype = None if dtype is None else named_dtype(dtype)
        self._chain = None if input_shape is None else Chain(sample_shape(input_shape), self._dtype)
        self._waiting: tuple[Layer, ...] = ()
        self._forward: Callable[..., Any] = self._not_yet if self._waits else self._module

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
        if self._chain is None:
            self._waiting += tuple(given)
            return self
        self._refuse_busy()
        try:
            chain = self._chain.grown(given)
        except LayerError as error:  # the way through our own files says nothing to the user
            raise error.with_traceback(None) from error.__cause__
        self._hold(chain, len(self._chain.built))
        return self

    def build(self, sample: Any) -> Self:
        """Give the network its input shape from data, where `input_shape` was left out.

        >>> net = Sequential().dense(20, "sigmoid").dense(10).build(features)

        Args:
            sample: a batch, [samples, …]; only its shape and dtype are looked at.

        Raises:
            LayerError: a layer that cannot stand where it stands, with its line.
        """
        if self._waits:
            shape = tuple(getattr(sample, "shape", None) or torch.as_tensor(sample).shape)
            self._hold(Chain(sample_shape(shape[1:]), self._dtype).grown(self._waiting))
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
        names = [given.name for given in self.layers]
        if name not in names:
            raise unknown("layer", name, names)
        at = names.index(name)
        written = self.written[:at] + self.written[at + 1 :]
        self.rewrite(self.layers[:at] + self.layers[at + 1 :])
        if self._chain is not None:
            pairs = zip(self._chain.built, written, strict=True)
            built = tuple(replace(built, written=one) for built, one in pairs)
            self._chain = replace(self._chain, built=built)
        return self

    def rewrite(
        self,
        layers: Sequence[Layer],
        stood: Sequence[int | None] | None = None,
        input_shape: int | Sequence[int] | None = None,
    ) -> Change:
        """Hold other layers; weights whose shapes do not change are kept.

        Args:
            layers: all of them, in order.
            stood: for each the place of the layer that it stands for; without it names tell.
            input_shape: of one sample, where it changes or is known from now on.

        Returns:
            What became of the layers.

        Raises:
            LayerError: one cannot stand; the network stays as it was.
        """
        self._refuse_wrapped()
        shape = self.input_shape if input_shape is None else sample_shape(input_shape)
        if shape is None:
            self._waiting = tuple(layers)
            return Change()
        if self._chain is not None:  # else there is nothing to train
            self._refuse_busy()
        old = self._chain or Chain(shape, self._dtype)
        try:
            chain, change = old.rewritten(layers, shape, stood if old.built else None)
        except LayerError as error:
            raise error.with_traceback(None) from error.__cause__
        self._module._modules.clear()
        self._hold(chain)
        return change

    def _hold(self, chain: Chain, standing: int = 0) -> None:
        """Stand as this chain, whose first layers stand already."""
        for built in chain.built[standing:]:
            for part in built.parts:
                self._module.add_module(part.name, part.module)
        self._chain, self._waiting, self._forward = chain, (), self._module
        self._changed()

    def _refuse_wrapped(self) -> None:
        if self.wraps:
            raise LayerError(
                "This network wraps a module, which is taken as it is. "
                "Begin with Sequential(input_shape=…).add(module) to put layers behind it."
            )

    # ------------------------------------------------------------------------------ what it holds

    @property
    def _waits(self) -> bool:
        """Whether no size is known, so that no layer stands yet."""
        return self._chain is None and not self.wraps

    @property
    def module(self) -> nn.Module:
        """The network as an ordinary `torch.nn.Module`.

        Raises:
            LayerError: no size is known yet.
        """
        if self._waiting:
            raise LayerError(
                "The sizes of this network are not known yet. "
                "Write Sequential(input_shape=…), or net.build(batch)."
            )
        return self._module

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers with their names; of a wrapped module none."""
        return named_all(self._waiting) or super().layers

    @property
    def written(self) -> tuple[Layer, ...]:
        """The same with those names alone that were given: what another network takes over."""
        return self._waiting or tuple(built.written for built in self.built)

    @property
    def built(self) -> tuple[Built, ...]:
        """The layers as they stand, with their modules and shapes."""
        return () if self._chain is None else self._chain.built

    @property
    def parts(self) -> tuple[Part, ...]:
        """The children of the module, in order; a wrapped layer is its own."""
        module = self.module  # which raises while no size is known
        if not self.wraps:
            return super().parts
        inner = dict(module.named_children()) or {type(module).__name__.lower(): module}
        return tuple(Part(name, child, None) for name, child in inner.items())

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Of one sample; `None` while it is not known."""
        return None if self._chain is None else self._chain.shape

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Of one sample; `None` while it is not known, or where it is no single tensor."""
        return None if self._chain is None or self.wraps else self._chain.gives

    @property
    def input_dtype(self) -> torch.dtype:
        """What the layers are fed."""
        given = self.layers[0] if self.layers else None
        return self._dtype or (first_dtype(given) if given else torch.float32)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The same by the input's name; empty while it is not known."""
        return {} if self.input_shape is None else {"input": self.input_shape}

    def _ready_for(self, data: Any) -> None:
        if hasattr(data, "shape"):
            self.build(data)

    def _not_yet(self, *_: Any, **__: Any) -> Any:
        return self.module  # which raises, unless there is no layer

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the module gives, with gradients and in its present mode; `predict` has neither."""
        return self._forward(*args, **named)  # on ten microseconds a property would be seen

    def dry_inputs(self) -> tuple[Any, ...] | None:
        """Two zeros as the network takes them; `None` while the shape is not known."""
        if self.input_shape is None:
            return None
        return (dry_batch(self.input_shape, self.input_dtype),)

    def __repr__(self) -> str:
        shown = f"Sequential({display_text(self.name)!r}"
        layers = plural(len(self), "layer")
        if self._waits:
            return f"{shown}, {layers}, input shape not known yet)"
        if self.input_shape is not None:
            gives = self.output_shape
            shown += f", {shape_of(self.input_shape)} -> {shape_of(gives) if gives else '?'}"
        return f"{shown}, {layers}, {plural(self.parameter_count, 'parameter')})"
