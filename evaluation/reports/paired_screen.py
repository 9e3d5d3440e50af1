"""Where `evaluation.compare.screen` was."""

from evaluation.compare.notes import notes
from evaluation.compare.screen import comparisons, more
from evaluation.compare.sentence import sentence

__all__ = ["comparisons", "more", "notes", "sentence"]
