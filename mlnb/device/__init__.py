"""Where the work is done: which device a word stands for, and what this machine has."""

from __future__ import annotations

from mlnb.device.find import describe_device, find_device, free_memory, why_not

__all__ = ["describe_device", "find_device", "free_memory", "why_not"]
