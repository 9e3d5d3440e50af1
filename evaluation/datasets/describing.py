"""Datasets that describe their databases."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqlassay.schema import Schema


class CanDescribe(ABC):
    """A dataset that comes with a description of its databases, which may say more than the databases themselves."""

    @abstractmethod
    def schema(self, db_id: str) -> Schema | None:
        """The described tables of a database; `None` when it is not described.

        Raises:
            UserError: The description cannot be read.
        """
