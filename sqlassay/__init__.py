"""The ground floor of sqlassay: what every room needs and no room owns."""

__version__ = "0.1.0"
