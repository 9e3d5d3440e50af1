"""The two consoles: what is shown on them commands no terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from sqlassay.printable import printable


class Screen(Console):
    """A console that obeys no markup and passes on no control characters but its own.

    Args:
        width: In columns; that of the terminal unless given.
        stderr: Whether to write there.
        soft_wrap: Whether lines are as long as they are.
    """

    def __init__(self, *, width: int | None = None, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(width=width, stderr=stderr, soft_wrap=soft_wrap, highlight=False, emoji=False, markup=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders it, with what was written by others made harmless."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


class Talk(Screen):
    """What is said beside the data, to stderr."""

    def __init__(self) -> None:
        super().__init__(stderr=True, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Nobody listens: say no more. What is being done goes on."""
        self.quiet = True
