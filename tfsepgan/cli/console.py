"""The console of a command: file names and replies of servers cannot control the terminal."""

import re
from collections.abc import Iterable

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

# control characters but tab and line end; what turns the direction of text; bytes that are not text
_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class PlainConsole(Console):
    """A console that shows control characters in escaped form, as Python writes them."""

    def render_str(self, text: str, **options) -> Text:
        """The escaped text of a line or a cell, so that its width is right."""
        return super().render_str(visible(text), **options)

    def render(self, *arguments, **options) -> Iterable[Segment]:
        """Render as rich does; what rich itself sends to move the cursor stays."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def visible(text: str) -> str:
    """Text with control characters in escaped form, such as \\x1b."""
    return _ACTING.sub(lambda found: ascii(found[0])[1:-1], text)
