"""Systems on the same questions: which is better, whether that is luck, and where they part."""
