"""The gold audit: what is wrong with the golds of a dataset, one probe per flaw."""
