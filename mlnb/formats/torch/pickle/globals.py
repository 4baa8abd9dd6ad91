"""Which names in a pickle are data, and which are programs: `judge`.

Three answers. *Data* is what PyTorch's own `weights_only` admits, and NumPy's arrays and numbers.
*Programs* are names with which pickles break into machines; no file of weights has them. All the
rest is *code*: classes of a model, which loading would import and run. The list of programs needs
not be complete, since nothing is loaded here, and loading code is never advised.

The first list: torch/_weights_only_unpickler.py, `_get_allowed_globals`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.formats.source import Source
    from mlnb.formats.torch.pickle.records import Global

SHOWN = 8
"""Names in one message."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The names in a pickle, by what they are.

    Args:
        numpy: harmless ones that PyTorch's `weights_only` does not admit by itself.
        code: names that loading would import and run.
        programs: names that loading must never reach.
    """

    numpy: tuple[Global, ...]
    code: tuple[Global, ...]
    programs: tuple[Global, ...]


def judge(names: Iterable[Global]) -> Verdict:
    """Sort the names that a pickle would import.

    >>> judge([Global("os", "system"), Global("torch", "FloatStorage")]).programs
    (Global(module='os', name='system'),)
    """
    numpy: list[Global] = []
    code: list[Global] = []
    programs: list[Global] = []
    for name in names:
        if _PLAIN.fullmatch(str(name)):
            continue
        if _NUMPY.fullmatch(str(name)):
            numpy.append(name)
        elif _is_program(name):
            programs.append(name)
        else:
            code.append(name)
    return Verdict(tuple(numpy), tuple(code), tuple(programs))


def judged(source: Source, names: Iterable[Global]) -> Verdict:
    """The same, with an end to the reading where a program is among them.

    Raises:
        ModelFormatError: it names the programs.
    """
    verdict = judge(names)
    if verdict.programs:
        raise ModelFormatError(
            f"{display_text(source.name, 60)} is refused: loading it would run "
            f"{names_text(verdict.programs)}, and no file of weights does that. Nothing of it was "
            "run. Ask for the weights as safetensors, from somebody you trust"
        )
    return verdict


def names_text(names: Iterable[Global]) -> str:
    """`os.system, builtins.eval and 3 more`."""
    found = [display_text(str(name), 60) for name in names]
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _is_program(name: Global) -> bool:
    root = name.module.partition(".")[0]
    if root == "builtins":
        return not _TYPES.fullmatch(name.name)
    # A name with dots walks from object to object and so out of its module.
    return (
        bool(_ACTING.fullmatch(root))
        or str(name).startswith(_ACTING_INSIDE)
        or "__" in name.name.strip("_")
        or any(_ACTING_ANYWHERE.fullmatch(step) for step in str(name).split(".")[:-1])
    )


_STORAGES = "(Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool|Complex(Float|Double))"

_PLAIN = re.compile(
    r"collections\.(OrderedDict|Counter)"
    r"|torch\.nn\.parameter\.(Parameter|Buffer)"
    r"|torch\.serialization\._get_layout"
    r"|torch\.(Size|Tensor|device|(cuda\.)?" + _STORAGES + r"(Storage|Tensor))"
    r"|torch\.(QInt8|QInt32|QUInt8|QUInt4x2|QUInt2x4)Storage"
    r"|torch\.storage\.(TypedStorage|UntypedStorage|_UntypedStorage|_TypedStorage)"
    r"|torch\.(u?int\d+|q?u?int\d+(x\d)?|b?float\d+(_\w+)?|complex\d+|half|bool|bits\w+)"
    r"|torch\.(float|double|int|long|short|cfloat|cdouble)"
    r"|torch\.per_(tensor_affine|tensor_symmetric|channel_affine|channel_symmetric"
    r"|channel_affine_float_qparams)"
    r"|torch\._utils\._rebuild_(parameter|parameter_with_state|qtensor|tensor|tensor_v2|tensor_v3"
    r"|sparse_tensor|meta_tensor_no_storage|wrapper_subclass|device_tensor_from_numpy"
    r"|device_tensor_from_cpu_tensor|xla_tensor|nested_tensor)"
    r"|torch\._tensor\._rebuild_from_type_v2"
    r"|_codecs\.encode"
    r"|builtins\.(bytearray|bytes|set|frozenset|complex)"
)

_NUMPY = re.compile(
    r"numpy\._?core\.(multiarray\.(scalar|_reconstruct)|numeric\._frombuffer)"
    r"|numpy\.(ndarray|dtype|dtypes\.\w+|bool_?|u?int\d+|float\d+|complex\d+)"
)

_TYPES = re.compile(
    r"bool|bytearray|bytes|complex|dict|float|frozenset|int|list|object|set|slice|str|tuple"
    r"|range|Exception|ValueError|TypeError|RuntimeError"
)

_ACTING = re.compile(
    r"os|posix|nt|ntpath|posixpath|sys|subprocess|commands|popen2|shutil|socket|socketserver"
    r"|importlib|imp|runpy|pkgutil|zipimport|code|codeop|pty|platform|pickle|_pickle|cPickle"
    r"|dill|cloudpickle|joblib|marshal|shelve|ctypes|_ctypes|cffi|multiprocessing|threading"
    r"|_thread|asyncio|concurrent|signal|webbrowser|http|urllib|urllib2|urllib3|httplib"
    r"|aiohttp|httpx|requests|ftplib|smtplib|telnetlib|poplib|imaplib|nntplib|xmlrpc|ssl"
    r"|tempfile|operator|_operator|inspect|gc|pdb|bdb|cProfile|profile|timeit|trace|doctest"
    r"|unittest|pydoc|pip|setuptools|distutils|ensurepip|venv|idlelib|lib2to3|sqlite3|site"
    r"|sysconfig|glob|linecache|fileinput|mmap|resource|ast|compileall|py_compile|cmd|readline"
    r"|antigravity|tkinter|turtle|IPython|_io|io"
)

_ACTING_ANYWHERE = re.compile(
    r"os|sys|posix|nt|subprocess|builtins|__builtin__|importlib|socket|shutil|ctypes|pty|runpy"
)

_ACTING_INSIDE = (
    "builtins.",
    "copyreg.extension",
    "functools.reduce",
    "logging.config.",
    "numpy.distutils.",
    "numpy.f2py.",
    "numpy.load",
    "numpy.testing.",
    "pandas.read_",
    "pandas.eval",
    "torch.hub.",
    "torch.load",
    "torch.jit.",
    "torch.package.",
    "torch.serialization.load",
    "torch.utils.cpp_extension.",
    "torch._inductor.",
    "torch._dynamo.",
    "types.CodeType",
    "types.FunctionType",
    "types.LambdaType",
    "?.",
)
