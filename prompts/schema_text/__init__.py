"""A schema as text: what it looks like, and what of it a question needs."""
