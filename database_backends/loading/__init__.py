"""Moving databases between engines: one file per engine, all behind one contract."""
