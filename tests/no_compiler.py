"""`without_a_compiler`: torch.compile as on a machine that has no C++ compiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_a_compiler() -> Iterator[None]:
    """torch's own patch of its settings: one from outside leaves them without the name."""
    import torch._inductor.config
    import torch._inductor.cpp_builder

    forget = getattr(torch._inductor.cpp_builder.get_cpp_compiler, "cache_clear", lambda: None)
    settings = {"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True}
    forget()
    torch._dynamo.reset()
    try:
        with torch._inductor.config.patch(settings):
            yield
    finally:
        forget()
        torch._dynamo.reset()
