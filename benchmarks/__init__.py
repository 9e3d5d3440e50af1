"""What sqlassay costs, as ratios within one run: machines are noisy, and nothing here is asserted in tests."""
