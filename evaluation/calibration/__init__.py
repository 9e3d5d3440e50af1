"""How often a judge is wrong: measured once, kept, and shown wherever its verdicts are."""
