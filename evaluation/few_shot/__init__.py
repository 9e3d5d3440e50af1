"""Examples for few-shot prompts: which ones a question is shown, and which would tell its answer."""
