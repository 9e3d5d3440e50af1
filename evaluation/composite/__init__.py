"""Models that are made of models: each is an answer source, and what happened on the way is in the record."""
