"""Readers of prediction files: one module per format, and one that matches them to the questions."""
