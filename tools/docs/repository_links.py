"""A hook of mkdocs.yml: links from docs/ to other files of the repository lead to the repository.

The pages link to `../tools/...` so that the links work on disk and on GitHub. The site holds docs/
only, so there such a link becomes `repo_url/blob/main/tools/...`. The same holds for notebooks,
which GitHub shows with their layout.
"""

import posixpath
import re

LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)")


def on_page_markdown(markdown: str, *, page, config, **_) -> str:
    """Called by MkDocs with the text of a page; returns the text with changed links."""
    folder = posixpath.dirname(f"docs/{page.file.src_uri}")

    def changed(link: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[0]))
        here = target.startswith("docs/") and not target.endswith(".ipynb")
        return link[0] if here else f"{config.repo_url.rstrip('/')}/blob/main/{target}"

    return LINK.sub(changed, markdown)
