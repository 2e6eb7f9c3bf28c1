"""A Griffe extension of mkdocs.yml: one-line sections of docstrings become paragraphs.

The docstrings write `Returns: a scalar.` on one line. Griffe's parser wants such sections on lines
of their own, and fails without them.
"""

import re

import griffe

ONE_LINE = re.compile(r"^(Returns|Yields|Raises|Source|Departs from it): *(?=\S)", re.MULTILINE)


class InlineSections(griffe.Extension):
    """Writes `Returns: text` as the paragraph `**Returns:** text`."""

    def on_instance(self, *, obj, **_) -> None:
        """Called by Griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = ONE_LINE.sub(r"\n**\1:** ", obj.docstring.value)
