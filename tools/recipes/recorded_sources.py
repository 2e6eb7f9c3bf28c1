"""The sources of recorded.py: git repositories at a commit, Debian packages, npm packages.

A source is opened once and gives the bytes of a path. Local folders are searched first; they can
hold `OWNER+NAME` (a git directory, bare or not, or a folder with one in it), `NAME_*.deb` or
`NAME-*.tgz`.
"""

import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tfsepgan.errors import DataError

Read = Callable[[str], bytes]
HOST = "https://github.com"
SPECIAL, ESCAPED = re.compile(r"([*?\[\\])"), r"\\\1"  # characters of patterns in a sparse checkout
MINUTES = 30  # limit of one call of git, apt-get or npm


class NotAvailable(DataError):
    """A repository, package or file that is not available."""


def open_source(source: dict, paths: Iterable[str], cache: Path, folders: Iterable[Path]) -> Read:
    """A function that reads the files of a source.

    Args:
      source: an entry of `sources` in the table: `git` and `commit`, or `debian` or `npm` and
        `version`.
      paths: the files to read; only these are fetched if the source allows it.
      cache: folder for fetched files, kept for the next call.
      folders: searched before anything is fetched.
    Raises: NotAvailable when the source is not available; reading raises it for a file.
    """
    folders = [*folders, cache]
    if "git" in source:
        return _git(source, list(paths), cache, folders)
    if "debian" in source:
        return _debian(source, cache, folders)
    return _npm(source, cache, folders)


def address(source: dict, path: str) -> str:
    """The public address of a file."""
    if "git" in source:
        return f"{HOST}/{source['git']}/blob/{source['commit']}/{path}"
    kind = "debian" if "debian" in source else "npm"
    return f"{kind}:{source[kind]}={source['version']}/{path}"


def _run(*command: str | Path, cwd: Path | None = None, text: str = "") -> bytes:
    """The output of a command.

    Raises: NotAvailable with the last line of its error output.
    """
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            input=text.encode(),
            capture_output=True,
            timeout=60 * MINUTES,
        )
    except FileNotFoundError as error:
        raise NotAvailable(
            f"{command[0]} is not installed; install it, or name folders with --clones."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NotAvailable(f"{command[0]} took more than {MINUTES} minutes.") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise NotAvailable(f"{command[0]}: {lines[-1]}")
    return done.stdout


def git_directory(name: str, folders: Iterable[Path]) -> Path | None:
    """The git directory of a repository in one of the folders."""
    for folder in folders:
        for below in ("repo/.git", "repo", ".git", "."):
            found = folder / name.replace("/", "+") / below
            if (found / "HEAD").is_file() and (found / "objects").is_dir():
                return found
    return None


def _git(source: dict, paths: list[str], cache: Path, folders: Iterable[Path]) -> Read:
    found = git_directory(source["git"], folders)
    if found is None or (cache in found.parents and not _is_there(found, source["commit"])):
        found = _clone(source, paths, cache / source["git"].replace("/", "+"))
    # checksums show differences
    commit = source["commit"] if _is_there(found, source["commit"]) else "HEAD"
    return lambda path: _run("git", f"--git-dir={found}", "cat-file", "blob", f"{commit}:{path}")


def _is_there(directory: Path, commit: str) -> bool:
    """Whether a git directory has a commit."""
    try:
        return bool(
            _run(
                "git",
                f"--git-dir={directory}",
                "rev-parse",
                "-q",
                "--verify",
                f"{commit}^{{commit}}",
            )
        )
    except NotAvailable:
        return False


def _clone(source: dict, paths: list[str], into: Path) -> Path:
    """One commit of a repository, with the contents of some paths only."""
    into.mkdir(parents=True, exist_ok=True)
    _run("git", "init", "-q", into)
    _run(
        "git", "config", "remote.origin.url", source.get("url", f"{HOST}/{source['git']}"), cwd=into
    )
    _run("git", "config", "remote.origin.promisor", "true", cwd=into)
    _run("git", "config", "remote.origin.partialclonefilter", "blob:none", cwd=into)
    patterns = "".join(f"/{SPECIAL.sub(ESCAPED, path)}\n" for path in paths)
    _run("git", "sparse-checkout", "set", "--no-cone", "--stdin", cwd=into, text=patterns)
    _run(
        "git",
        "fetch",
        "-q",
        "--depth",
        "1",
        "--filter=blob:none",
        "origin",
        source["commit"],
        cwd=into,
    )
    _run("git", "-c", "advice.detachedHead=false", "checkout", "-q", "-f", "FETCH_HEAD", cwd=into)
    return into / ".git"


def _archive(pattern: str, fetch: tuple[str, ...], cache: Path, folders: Iterable[Path]) -> Path:
    """A package's file, from one of the folders or fetched into the cache."""
    for folder in folders:
        if found := sorted(folder.glob(pattern)):
            return found[-1]
    cache.mkdir(parents=True, exist_ok=True)
    _run(*fetch, cwd=cache)
    if not (found := sorted(cache.glob(pattern))):
        raise NotAvailable(f"{' '.join(fetch)} left no {pattern}.")
    return found[-1]


def _debian(source: dict, cache: Path, folders: Iterable[Path]) -> Read:
    name, version = source["debian"], source["version"]
    package = _archive(
        f"{name}_*.deb", ("apt-get", "download", "-q", f"{name}={version}"), cache, folders
    )
    tree = cache / package.stem
    if not tree.is_dir():
        unpacking = cache / f"{package.stem}.part"
        unpacking.mkdir(parents=True, exist_ok=True)
        _run("dpkg", "-x", package, unpacking)
        unpacking.rename(tree)
    return lambda path: _bytes_of(tree / path)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAvailable(f"{path}: {error.strerror}") from error


def _npm(source: dict, cache: Path, folders: Iterable[Path]) -> Read:
    name, version = source["npm"], source["version"]
    pattern = f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    package = _archive(pattern, ("npm", "pack", "--silent", f"{name}@{version}"), cache, folders)

    def read(path: str) -> bytes:
        with tarfile.open(package) as archive:
            try:
                member = archive.extractfile(f"package/{path}")
            except KeyError:
                member = None
            if member is None:
                raise NotAvailable(f"{package} has no {path}.")
            return member.read()

    return read
