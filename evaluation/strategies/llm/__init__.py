"""Strategies that ask a model."""
