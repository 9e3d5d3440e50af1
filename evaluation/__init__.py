"""The harness: datasets -> orchestrator -> strategies -> run log -> reports."""
