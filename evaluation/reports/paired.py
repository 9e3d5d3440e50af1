"""Where `evaluation.compare` was."""

from evaluation.compare.answers import Asked, Told
from evaluation.compare.answers import Pair as Flip
from evaluation.compare.arms import Arm
from evaluation.compare.comparison import ALPHA, Comparison, compare

__all__ = ["ALPHA", "Arm", "Asked", "Comparison", "Flip", "Told", "compare"]
