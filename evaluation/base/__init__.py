"""The abstract classes of evaluation strategies, one per file."""
