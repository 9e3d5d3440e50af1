"""How alike texts are: the cosine of their words, rare ones counting more, from an inverted index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence


class Index:
    """Texts as vectors of length 1, weighted by (1 + log tf) · (1 + log((1 + N) / (1 + df))).

    tf is how often a feature is in a text, df in how many of the N texts it is. A feature that no text has lengthens
    the vector of a query as one that all the others lack.

    Args:
        texts: Each as its features, such as words and pairs of words.
    """

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        counted = [Counter(text) for text in texts]
        self._size = len(counted)
        self._frequency = Counter(feature for counts in counted for feature in counts)
        self._postings: dict[str, tuple[list[int], list[float]]] = {feature: ([], []) for feature in self._frequency}
        for place, counts in enumerate(counted):
            for feature, weight in self._vector(counts).items():
                places, weights = self._postings[feature]
                places.append(place)
                weights.append(weight)

    def scores(self, text: Iterable[str]) -> list[float]:
        """The cosine of a text with each of the index, between 0 and 1, in their order."""
        found = [0.0] * self._size
        for feature, weight in self._vector(Counter(text)).items():
            if feature in self._postings:
                for place, other in zip(*self._postings[feature], strict=True):
                    found[place] += weight * other
        return found

    def _vector(self, counts: Counter[str]) -> dict[str, float]:
        weights = {
            feature: (1 + math.log(count)) * (1 + math.log((1 + self._size) / (1 + self._frequency[feature])))
            for feature, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {feature: weight / length for feature, weight in weights.items()}
