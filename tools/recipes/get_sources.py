"""Downloads all sources of the recipes piano.py, songs.py and instruments.py from public addresses.

    python tools/recipes/get_sources.py --output SOURCES [--only NAME ...] [--clones DIR ...]

Needs git, npm and tar. Existing files are kept. Debian packages need root: their command is
printed, or run with --apt. Repositories are cloned, or read from git directories `OWNER+NAME` in
the folders of --clones. Licences and purposes: piano.md and songs.md.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from recorded_sources import NotAvailable, git_directory, open_source

GITHUB = "https://github.com"
# folder: (repository, commit or None for the newest, wanted folders or () for all)
REPOSITORIES = {
    "SplendidGrandPiano": ("sfzinstruments/SplendidGrandPiano", None, ()),
    "BengtNilsson.HeadroomPiano": ("sfzinstruments/BengtNilsson.HeadroomPiano", None, ()),
    "upright-piano-KW": ("freepats/upright-piano-KW", None, ()),
    "old-piano-FB": ("freepats/old-piano-FB", None, ()),
    "fantasia": ("spacetme/fantasia", None, ()),
    "xmacex-piano": ("xmacex/piano", "4bbb519", ()),
    "POP909-Dataset": ("music-x-lab/POP909-Dataset", None, ("POP909",)),
    "Lieder": ("OpenScore/Lieder", None, ("scores",)),
    "StringQuartets": ("OpenScore/StringQuartets", None, ("scores",)),
    "dataset-voice-kerstin": ("rhasspy/dataset-voice-kerstin", None, ("verified",)),
    "dataset-voice-kathleen": ("rhasspy/dataset-voice-kathleen", None, ("data",)),
    "librosa-data": ("librosa/data", None, ("audio",)),
}
SAMPLED = {  # for instruments.py: folder, repository and the wanted parts of it
    "electric-bass-YR": ("freepats/electric-bass-YR", None, ()),
    "e-guitar-FSBS-clean": ("freepats/e-guitar-FSBS-clean", None, ()),
    "spanish-classical-guitar": ("freepats/spanish-classical-guitar", None, ()),
    "muldjordkit": ("freepats/muldjordkit", None, ()),
    "fm-piano1": ("freepats/fm-piano1", None, ()),
    "GregSullivan.E-Pianos": ("sfzinstruments/GregSullivan.E-Pianos", None, ()),
    "MTG.SoloSax": ("sfzinstruments/MTG.SoloSax", None, ()),
    "EthanWiner.Soundfonts": ("sfzinstruments/EthanWiner.Soundfonts", None, ()),
    "Discord-SFZ-GM-Bank": ("sfzinstruments/Discord-SFZ-GM-Bank", None, ()),
    "ganjo": ("sfzinstruments/ganjo", None, ()),
    "dsmolken.double-bass": ("sfzinstruments/dsmolken.double-bass", None, ()),
    "karoryfer.growlybass": ("sfzinstruments/karoryfer.growlybass", None, ("sustain",)),
    "karoryfer.fashionbass": ("sfzinstruments/karoryfer.fashionbass", None, ("notes",)),
    "karoryfer.swagbass": ("sfzinstruments/karoryfer.swagbass", None, ("notes",)),
    "karoryfer.pastabass": ("sfzinstruments/karoryfer.pastabass", None, ("samples/fetuccine",)),
    "karoryfer.sneakybass": ("sfzinstruments/karoryfer.sneakybass", None, ("Samples/pluck",)),
    "karoryfer.meatbass": ("sfzinstruments/karoryfer.meatbass", None, ("Samples",)),
    "karoryfer.emilyguitar": ("sfzinstruments/karoryfer.emilyguitar", None, ("notes",)),
    "karoryfer.shinyguitar": ("sfzinstruments/karoryfer.shinyguitar", None, ("Samples",)),
    "karoryfer.gogodze-phu-vol-ii": (
        "sfzinstruments/karoryfer.gogodze-phu-vol-ii",
        None,
        ("Samples",),
    ),
    "karoryfer.bear-sax": ("sfzinstruments/karoryfer.bear-sax", None, ("Samples",)),
    "karoryfer.weresax": ("sfzinstruments/karoryfer.weresax", None, ("Samples",)),
    "karoryfer.war-tuba": ("sfzinstruments/karoryfer.war-tuba", None, ("Samples",)),
    "sonic-pi": ("sonic-pi-net/sonic-pi", None, ("etc/samples",)),
    "pearl-master-studio": ("oramics/sampled", None, ("DRUMS/pearl-master-studio",)),
}
REPOSITORIES |= SAMPLED
LAYERS = (2, 4, 6, 8, 10, 12, 14, 16)  # velocity layers of Salamander
PACKAGES = {f"salamander/v{layer}": f"@audio-samples/piano-velocity{layer}" for layer in LAYERS}
PACKAGES["tonejs-instrument-piano-wav"] = "tonejs-instrument-piano-wav"
TONEJS = {  # tonejs-instruments; MP3 where there is no package of WAV
    "wav": (
        "bass-electric",
        "guitar-acoustic",
        "guitar-electric",
        "saxophone",
        "violin",
        "cello",
        "contrabass",
    )
    + ("flute", "trumpet", "harp", "xylophone"),
    "mp3": (
        "guitar-nylon",
        "harmonium",
        "organ",
        "clarinet",
        "french-horn",
        "trombone",
        "bassoon",
        "tuba",
    ),
}
PACKAGES |= {
    f"tonejs-instrument-{name}-{kind}": f"tonejs-instrument-{name}-{kind}"
    for kind, names in TONEJS.items()
    for name in names
}
# of LibriSpeech, among librosa's examples
READERS = (
    "198-209-0000",
    "3436-172162-0000",
    "5703-47212-0000",
)
DEBIAN = [
    "fluidsynth",
    "fluid-soundfont-gm",
    "musescore-general-soundfont-lossless",
    "timgm6mb-soundfont",
    "hydrogen-drumkits",
    "asterisk-core-sounds-it-wav",
    "asterisk-core-sounds-ru-wav",
]


def clone(name: str, output: Path) -> None:
    """Clone the wanted files of a repository, newest or at a commit."""
    repository, commit, wanted = REPOSITORIES[name]
    with tempfile.TemporaryDirectory(dir=output, prefix=".getting-") as scratch:
        folder = Path(scratch) / name
        depth = [] if commit else ["--depth", "1"]
        run(
            "git",
            "clone",
            "--quiet",
            "--no-checkout",
            "--filter=blob:none",
            *depth,
            f"{GITHUB}/{repository}",
            str(folder),
        )
        if wanted:
            run("git", "-C", str(folder), "sparse-checkout", "set", *wanted)
        run("git", "-C", str(folder), "checkout", "--quiet", *([commit] if commit else []))
        folder.rename(output / name)


def copy(name: str, found: Path, output: Path, clones: Sequence[Path]) -> int:
    """Copy the wanted files of a repository from a git directory; returns how many it lacks."""
    repository, commit, wanted = REPOSITORIES[name]
    commit, missing = commit or "HEAD", 0
    line = ["git", f"--git-dir={found}", "ls-tree", "-r", "-z", "--name-only", commit, *wanted]
    paths = subprocess.run(line, capture_output=True, check=True).stdout.decode().split("\0")[:-1]
    read = open_source({"git": repository, "commit": commit}, paths, output, clones)
    with tempfile.TemporaryDirectory(dir=output, prefix=".getting-") as scratch:
        folder = Path(scratch) / name
        for path in paths:
            try:
                contents = read(path)
            except NotAvailable:
                missing += 1
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(contents)
        folder.rename(output / name)
    return missing


def get(name: str, output: Path, clones: Sequence[Path]) -> None:
    """Copy, clone or unpack one source."""
    if name in PACKAGES:
        unpack(name, output)
    elif found := git_directory(REPOSITORIES[name][0], clones):
        if missing := copy(name, found, output, clones):
            print(f"{found} lacks {missing} files of {name}")
    else:
        clone(name, output)


def unpack(name: str, output: Path) -> None:
    """Unpack an npm package."""
    with tempfile.TemporaryDirectory(dir=output, prefix=".getting-") as scratch:
        run("npm", "pack", "--silent", PACKAGES[name], cwd=scratch)
        (archive,) = Path(scratch).glob("*.tgz")
        run("tar", "xzf", archive.name, cwd=scratch)
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(scratch) / "package").rename(output / name)


def copy_readers(output: Path) -> None:
    """Copy only the readers of LibriSpeech; the other recordings there are music."""
    audio, folder = output / "librosa-data" / "audio", output / "librispeech"
    if audio.is_dir() and not folder.exists():
        folder.mkdir()
        for reader in READERS:
            shutil.copy(audio / f"{reader}.hq.ogg", folder)


def run(*words: str, cwd: str | None = None) -> None:
    subprocess.run(words, cwd=cwd, check=True)


def main() -> int:
    """Read the command line and download what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="the folder SOURCES of the recipes"
    )
    parser.add_argument(
        "--only", nargs="+", choices=(*REPOSITORIES, *PACKAGES), default=(*REPOSITORIES, *PACKAGES)
    )
    parser.add_argument(
        "--clones", nargs="+", type=Path, default=(), help="folders that hold OWNER+NAME"
    )
    parser.add_argument("--apt", action="store_true", help="run apt-get, too")
    parser.add_argument("--list", action="store_true", help="only print what would be downloaded")
    options = parser.parse_args()
    missing = [name for name in options.only if not (options.output / name).exists()]
    apt = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN]
    if options.list:
        print(*missing, " ".join(apt), sep="\n")
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in missing:
        print(f"Getting {name}", flush=True)
        try:
            get(name, options.output, options.clones)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            failed.append(f"{name}: {error}")
    copy_readers(options.output)
    if options.apt:
        run(*apt)
    else:
        print("As root:", " ".join(apt))
    print(*failed, sep="\n", end="\n" if failed else "")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
