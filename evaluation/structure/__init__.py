"""What a statement consists of, clause by clause, whatever its spelling."""
