"""Runs as other programs show them: a copy that is made from the run log, and can be made again."""
