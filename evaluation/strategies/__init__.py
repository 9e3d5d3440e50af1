"""The registered evaluation strategies."""
