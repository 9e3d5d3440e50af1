"""Simulated pairs of systems on questions that may cluster by database."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import erfinv

from evaluation.statistics.clustered import Clustered, Outcome
from evaluation.statistics.paired import Paired


def sizes(clusters: int, questions: int, spread: float) -> list[int]:
    """How many questions each database has; the sizes spread log-normally, but are no luck."""
    quantiles = np.random.default_rng(1).permutation((np.arange(clusters) + 0.5) / clusters)
    weights = np.exp(spread * np.sqrt(2) * erfinv(2 * quantiles - 1))
    return [max(1, round(one)) for one in weights / weights.sum() * questions]


def simulated(
    pairs: int, of: list[int], apart: float, between: float, difference: float = 0.0, seed: int = 7
) -> Iterator[Clustered]:
    """Pairs of systems that differ by `difference`.

    Args:
        pairs: How many.
        of: How many questions each database has.
        apart: The share of the questions that only one has right.
        between: The standard deviation of the difference between databases.
        difference: B less A, over all databases.
        seed: Of all luck.
    """
    chance = np.random.default_rng(seed)
    for _ in range(pairs):
        own = np.clip(difference + chance.normal(0, between, len(of)), -apart, apart)
        shares = np.stack([(apart - own) / 2, (apart + own) / 2, np.full(len(of), 1 - apart)], axis=1)
        counts = chance.multinomial(of, shares).tolist()
        yield Clustered({f"db_{n}": Paired.of(*one) for n, one in enumerate(counts)})


def in_conversations(pairs: int, databases: int, conversations: int, turns: int, alike: float) -> Iterator[Clustered]:
    """Pairs of systems that are equally good, of which one or the other is the better in each conversation.

    Args:
        pairs: How many.
        databases: How many; they do not differ.
        conversations: Over all of them.
        turns: Of each; the two part on three in ten.
        alike: How much more often those of one conversation are for the same side than for the other.
    """
    chance = np.random.default_rng(5)
    for _ in range(pairs):
        lean = chance.choice([-alike, alike], (conversations, 1))
        sides = np.where(chance.random((conversations, turns)) < (1 + lean) / 2, 1, -1)
        won = (sides * (chance.random((conversations, turns)) < 0.3)).tolist()
        yield Clustered.of(
            Outcome(f"q{number}-{turn}", f"db_{number % databases}", f"c{number}", one)
            for number, told in enumerate(won)
            for turn, one in enumerate(told)
        )
