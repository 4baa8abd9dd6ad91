"""The buffers of the last good step: what batch norm counts changes in the forward pass already.

Only those that change are copied: a table of positions costs nothing after the first step. Version
counters tell which, but not for batch norm, whose kernels write past them; so buffers of such
layers, and those that the first step has changed unseen, are copied after every step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

_SCALER_TENSORS = ("_scale", "_growth_tracker")


class KeptBuffers:
    """A copy of every buffer, as it was after the last good step.

    Args:
        models: whose buffers.
        scaler: of fp16, whose scale goes down with every step that is withheld.
    """

    def __init__(self, models: Iterable[nn.Module], scaler: Any = None) -> None:
        self._slots = _slots(models, scaler)
        self._kept: list[Tensor | None] = [slot.copy() for slot in self._slots]
        self._seen = [slot.mark() for slot in self._slots]
        self._first = True

    def keep(self, bad: Tensor | None = None) -> None:
        """Take over what has changed.

        Args:
            bad: 1 on the device where the step was withheld: then nothing is taken over.
        """
        if self._first:
            self._first = False
            self._find_unseen()
        changed: list[tuple[Tensor, Tensor]] = []
        for index, slot in enumerate(self._slots):
            if not slot.always:
                mark = slot.mark()
                if mark == self._seen[index]:
                    continue
                self._seen[index] = mark
            now, kept = slot.now(), self._kept[index]
            if now is None or kept is None or kept.shape != now.shape or kept.dtype != now.dtype:
                self._kept[index] = slot.copy()
            else:
                changed.append((kept, now.detach()))
        if not changed:
            return
        if bad is None:
            torch._foreach_copy_([kept for kept, _ in changed], [now for _, now in changed])
        else:
            _take_over_if_good(changed, bad)

    def put_back(self) -> None:
        """Make every buffer what it was after the last good step."""
        with torch.no_grad():
            for slot, kept in zip(self._slots, self._kept, strict=True):
                now = slot.now()
                if kept is None or now is None or now.shape != kept.shape:
                    slot.home[slot.name] = None if kept is None else kept.clone()
                else:
                    now.copy_(kept)

    def _find_unseen(self) -> None:
        for slot, kept, seen in zip(self._slots, self._kept, self._seen, strict=True):
            if not slot.always and slot.mark() == seen and kept is not None:
                slot.always = not torch.equal(kept, slot.home[slot.name])


class _Slot:
    """The place of one buffer; the tensor in it may be exchanged."""

    def __init__(self, home: dict[str, Any], name: str, *, always: bool) -> None:
        self.home = home
        self.name = name
        self.always = always

    def now(self) -> Tensor | None:
        return self.home[self.name]

    def copy(self) -> Tensor | None:
        now = self.now()
        return None if now is None else now.detach().clone()

    def mark(self) -> tuple[int, int]:
        now = self.home[self.name]
        return (0, 0) if now is None else (id(now), now._version)


def _take_over_if_good(changed: list[tuple[Tensor, Tensor]], bad: Tensor) -> None:
    """A few kernels for each dtype, however many buffers there are."""
    by_type: dict[torch.dtype, list[tuple[Tensor, Tensor]]] = {}
    for pair in changed:
        by_type.setdefault(pair[0].dtype, []).append(pair)
    for pairs in by_type.values():
        kept = torch.cat([kept.reshape(-1) for kept, _ in pairs])
        now = torch.cat([now.reshape(-1) for _, now in pairs])
        chosen = torch.where(bad == 0, now, kept).split([kept.numel() for kept, _ in pairs])
        torch._foreach_copy_(
            [kept for kept, _ in pairs],
            [new.view(kept.shape) for new, (kept, _) in zip(chosen, pairs, strict=True)],
        )


def _slots(models: Iterable[nn.Module], scaler: Any) -> list[_Slot]:
    slots: list[_Slot] = []
    seen: set[int] = set()
    for model in models:
        for module in model.modules():
            if id(module) not in seen:
                seen.add(id(module))
                always = isinstance(module, _NormBase)
                slots += [_Slot(module._buffers, name, always=always) for name in module._buffers]
    if scaler is not None:
        held = vars(scaler)
        slots += [_Slot(held, name, always=False) for name in _SCALER_TENSORS if name in held]
    return slots
