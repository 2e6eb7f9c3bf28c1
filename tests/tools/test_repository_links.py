"""On the site, links out of docs/ lead to the repository; all others stay."""

from types import SimpleNamespace

import pytest
from tools_for_tests import from_tools

hook = from_tools("repository_links")
REPOSITORY = "https://example.org/it/"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("data.md", "../tools/a.md#b", "https://example.org/it/blob/main/tools/a.md#b"),
        ("systems/nmf.md", "../../README.md", "https://example.org/it/blob/main/README.md"),
        (
            "index.md",
            "notebooks/a.ipynb",
            "https://example.org/it/blob/main/docs/notebooks/a.ipynb",
        ),
        ("systems/nmf.md", "../data.md#naming", "../data.md#naming"),
        ("data.md", "#here", "#here"),
        ("data.md", "https://example.org/../x", "https://example.org/../x"),
    ],
)
def test_a_link_leads_to_the_site_or_to_the_repository(page, link, expected):
    given = {
        "page": SimpleNamespace(file=SimpleNamespace(src_uri=page)),
        "config": SimpleNamespace(repo_url=REPOSITORY),
        "files": None,
    }
    text = f"See [this]({link}) and `x[0](y)`."
    assert hook.on_page_markdown(text, **given).startswith(f"See [this]({expected}) and ")
