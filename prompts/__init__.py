"""Question + schema -> messages, and answer -> SQL."""
