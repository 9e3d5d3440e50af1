"""What is not SQL to Spider's grammar."""


class NotParsed(ValueError):
    """The statement is outside the grammar, or names what the schema does not have."""
