"""What a flipped bit, a cut or a careless tool makes of bytes; `chance` says which and where."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence


def changed(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """`content` with one to four changes; a splice takes its end from one of `others`."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        change = chance.choice((flipped, flipped, truncated, None, repeated))
        content = change(content, chance) if change else spliced(content, chance, others)
    return content


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Up to eight bytes with another value."""
    changed = bytearray(content)
    for _ in range(min(chance.choice((1, 2, 8)), len(changed))):
        at = chance.randrange(len(changed))
        changed[at] = chance.choice((changed[at] ^ 1 << chance.randrange(8), chance.randrange(256)))
    return bytes(changed)


def truncated(content: bytes, chance: random.Random) -> bytes:
    """The beginning."""
    return content[: chance.randrange(len(content) + 1)]


def spliced(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The beginning of this model and the end of another."""
    other = chance.choice(others)
    cut, resumed = chance.randrange(len(content) + 1), chance.randrange(len(other))
    return content[:cut] + other[resumed:]


def repeated(content: bytes, chance: random.Random) -> bytes:
    """A piece of up to 64 bytes, up to 500 times."""
    start = chance.randrange(len(content) + 1)
    piece = content[start : start + chance.choice((1, 8, 64))]
    return content[:start] + piece * chance.choice((2, 9, 500)) + content[start:]


def changed_inside(content: bytes, chance: random.Random) -> bytes:
    """A zip file in which one member is changed, and everything else in order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = chance.choice(list(members))
    members[name] = changed(members[name] or b"\0", chance, [*filter(None, members.values())])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return buffer.getvalue()
