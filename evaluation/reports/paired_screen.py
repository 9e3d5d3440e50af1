"""Where `evaluation.compare.screen` was."""

from evaluation.compare.screen import comparisons, more, notes, sentence

__all__ = ["comparisons", "more", "notes", "sentence"]
