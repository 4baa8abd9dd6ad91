"""What there is to compute on: `%mldevice`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, magics_class

from mlnb.magics.shell import Call, magic

if TYPE_CHECKING:
    from mlnb.device.table import Devices


@magics_class
class DeviceMagics(Magics):
    """The magic that tells of the machine."""

    @magic()
    def mldevice(self, call: Call) -> Devices:
        """Show what this machine computes with, what the libraries use of it, and why not more.

        %mldevice

        The CPU with the cores and the memory that its container allows, the GPUs with their memory
        and their driver, then what torch and onnxruntime can use, and for the rest the reason. It
        takes no memory of a GPU.

        Examples
        --------
        %mldevice
        there = %mldevice

        The same in Python: `mlnb.devices()`.
        """
        from mlnb.device.table import devices
        from mlnb.widgets.base import has_front_end

        found = devices()
        if has_front_end():  # a terminal prints what is returned, which is the table
            call.show(found)
        return found
