"""The pages are true to the tree: links lead somewhere, named files and commands exist."""

import re
from pathlib import Path

import pytest

from tfsepgan.cli.command_list import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("tools/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TREE = r"(?:tfsepgan|tools|tests|docs|exported_models)"
PACKAGES = (
    r"(?:audio|config|data|evaluation|export|models|networks|separation|settings|systems|training)"
)
FILE = re.compile(rf"(?<![\w/.-]){TREE}/[\w/.-]+\.(?:py|md|json|sha256|jpg|png|ogg)\b")
PACKAGE_FILE = re.compile(rf"`((?:cli|{PACKAGES})/[\w/]+\.py)`")
COMMAND = re.compile(r"\btfsepgan-(\w+)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return text.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {anchor(line) for line in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)}


def test_an_anchor_is_written_as_github_does():
    assert anchor("Does the paper's generator learn?") == "does-the-papers-generator-learn"
    assert anchor("What `--data` takes") == "what---data-takes"


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if heading and target.suffix == ".md":
            assert heading in anchors(target), f"{page.name} links to {link}"


@every_page
def test_every_named_file_exists(page):
    text = page.read_text(encoding="utf-8")
    named = {name: ROOT / name for name in FILE.findall(text)}
    named |= {name: ROOT / "tfsepgan" / name for name in PACKAGE_FILE.findall(text)}
    missing = [name for name, path in named.items() if "NAME" not in name and not path.exists()]
    assert not missing, f"{page.name} names {missing}"


@every_page
def test_every_named_command_exists(page):
    named = set(COMMAND.findall(page.read_text(encoding="utf-8")))
    assert named <= set(COMMANDS), f"{page.name} names {sorted(named - set(COMMANDS))}"


def test_the_map_shows_every_folder_of_the_package():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = text.split("```text")[1].split("```")[0]
    folders = {path.parent.name for path in (ROOT / "tfsepgan").glob("*/__init__.py")}
    for name in folders:
        assert f"{name}/" in picture
        assert f"`{name}/`" in text.split("## The packages")[1], f"{name} has no paragraph"
