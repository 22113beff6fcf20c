"""The central claim of the release of 1 May 2023 as an experiment.

It names three conditions and says that the fault occurs only where all of them hold: the new method of synchronisation,
an AP server apart from the DB server, and two or more prints while a synchronisation runs.
"""

from harness.matrix import Condition, Experiment

EXPERIMENT = Experiment(
    target="targets.municipal.target:Municipal",
    settings={
        "build": "seed",
        "slots": "1",  # so that prints that come together share a slot
        "stage_ms": "60",  # long enough for a change to be entered and synchronised while a print is in the stage
        "batch_ms": "10",
        "center_timeout_s": "0",
        "kiosk_timeout_s": "0",
    },
    conditions=(
        Condition(name="v2", absent={"sync": "v1"}, present={"sync": "v2"}),
        Condition(name="split", absent={"topology": "joined"}, present={"topology": "split"}),
    ),
    together=2,
    change_kinds=("relocate", "rename", "household"),
)
