"""Where `evaluation.compare.screen` was."""

from evaluation.compare.notes import notes
from evaluation.compare.screen import basis, comparisons, headings, more, numbers
from evaluation.compare.sentence import sentence

__all__ = ["basis", "comparisons", "headings", "more", "notes", "numbers", "sentence"]
