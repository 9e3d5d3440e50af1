"""SQL as Spider's evaluation sees it: a small grammar, ten components, four grades of hardness. Pure functions."""
