"""Readers of question files: one file per format, all behind one contract."""
