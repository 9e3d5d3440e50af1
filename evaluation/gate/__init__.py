"""The gate: whether a run may pass, by rules, against a baseline."""
