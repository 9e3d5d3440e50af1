"""A Langfuse server: one of one's own in containers, and whether one, whoever's it is, is all right."""
