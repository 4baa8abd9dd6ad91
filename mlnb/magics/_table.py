"""The magics of mlnb, by the class that holds them; kept by hand, so that it can be read.

It is what `%load_ext mlnb` registers and `%unload_ext mlnb` takes back. A test compares it with the
classes and prints the corrected one.
"""

MAGICS: dict[str, list[str]] = {
    "mlnb.magics.build.BuildMagics": ["mlbuild"],
    "mlnb.magics.keep.KeepMagics": ["mlexport"],
    "mlnb.magics.device.DeviceMagics": ["mldevice"],
    "mlnb.magics.learn.LearnMagics": ["mlsample"],
    "mlnb.magics.look.LookMagics": ["mlgraph", "mlio", "mlload"],
    "mlnb.magics.runs.RunMagics": ["mlruns"],
    "mlnb.magics.train.TrainMagics": ["mltrain"],
    "mlnb.magics.use.UseMagics": ["mlevaluate", "mlpredict"],
}
