"""The other order of the rows of a shuffled copy."""

from __future__ import annotations

import random


def permutation(rows: int, seed: int) -> list[int]:
    """The numbers from 0 to `rows`, none of them in its own place where there are two or more.

    A permutation of one cycle (Sattolo's algorithm): in a plain shuffle small tables would often stay as they are.

    Args:
        rows: How many.
        seed: The same one gives the same permutation.
    """
    numbers = list(range(rows))
    chosen = random.Random(seed)  # noqa: S311  # nobody gains from guessing it
    for last in range(rows - 1, 0, -1):
        other = chosen.randrange(last)
        numbers[last], numbers[other] = numbers[other], numbers[last]
    return numbers
