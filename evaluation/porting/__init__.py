"""Golds of one engine on another: rewritten, then verified by their results."""
