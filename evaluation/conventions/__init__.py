"""Conventions: rules by which two results count as equal. One file each; the file's name is the registered name."""
