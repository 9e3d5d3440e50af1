"""SQL -> ResultTable or ExecutionFailure: one file per engine, all behind one contract."""
