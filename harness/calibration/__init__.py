"""What is right, learnt from a service that nobody else asks: which document for whom, and what varies by itself."""

from harness.calibration.learning import Learnt, LearntMask, masks_of
from harness.calibration.printing import calibrate
from harness.calibration.specimens import Calibrated, Calibration, CalibrationError, Specimen, cases

__all__ = [
    "Calibrated",
    "Calibration",
    "CalibrationError",
    "Learnt",
    "LearntMask",
    "Specimen",
    "calibrate",
    "cases",
    "masks_of",
]
