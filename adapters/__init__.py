"""Messages -> Completion: one file per provider, all behind one contract."""
