"""A small `TrainState` for tests of what is kept of one, and what may happen to a file of it."""

import torch
from torch import nn

from mlnb.train.feed.batches import InMemory
from mlnb.train.history import History
from mlnb.train.state import TrainState


def state_of(seed: int = 0, steps: int = 0) -> TrainState:
    """A state after a few steps."""
    generator = torch.Generator().manual_seed(3)
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    batches = InMemory(
        torch.randn(40, 4, generator=generator), torch.randint(0, 2, (40,), generator=generator), 8
    )
    state = TrainState({"model": net}, {"optimizer": optimizer}, batches, History())
    advance(state, steps)
    return state


def advance(state: TrainState, steps: int) -> None:
    """Train on for a few steps, over epochs."""
    for _ in range(steps):
        inputs, targets = next(state.batches.epoch(state.epoch, state.batch))
        loss = nn.functional.cross_entropy(state.models["model"](inputs), targets)
        loss.backward()
        optimizer = state.optimizers["optimizer"]
        optimizer.step()
        optimizer.zero_grad()
        state.step += 1
        state.batch += 1
        state.history.extend([state.step], loss=[loss.item()])
        if state.batch == state.batches.steps:
            state.epoch, state.batch = state.epoch + 1, 0


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "deleted": lambda path: path.unlink(),
}


def flipped(content: bytes) -> bytes:
    """One bit in the middle is another one."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
