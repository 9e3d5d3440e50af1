"""Are two result tables the same? Pure functions: tables in, answer out."""
