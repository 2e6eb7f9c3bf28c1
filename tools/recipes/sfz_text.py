"""The text of SFZ files: includes, definitions, regions with inherited opcodes, names of notes."""

import re
from collections.abc import Iterator
from pathlib import Path

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
NOTE = re.compile(r"([a-g])([#sb]?)(-?\d+)")
OPCODE = re.compile(r"(?:^|\s)([A-Za-z_]\w*)=")


def expanded(path: Path, defines: dict[str, str] | None = None, root: Path | None = None) -> str:
    """The text of an SFZ file with includes and defines resolved; defines apply to what follows."""
    defines = {} if defines is None else defines
    root = path.parent if root is None else root
    text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8", errors="replace"))
    out = []
    for word in re.split(r'(#define\s+\$\w+\s+\S+|#include\s+"[^"]+")', text):
        if word.startswith("#define"):
            _, name, value = word.split(maxsplit=2)
            defines[name] = _filled(value, defines)
        elif word.startswith("#include"):
            out.append(expanded(root / _filled(word.split('"')[1], defines), defines, root))
        else:
            out.append(_filled(word, defines))
    return "".join(out)


def _filled(text: str, defines: dict[str, str]) -> str:
    for name in sorted(defines, key=len, reverse=True):  # $DYN2 before $DYN
        text = text.replace(name, defines[name])
    return text


def regions(text: str) -> Iterator[dict[str, str]]:
    """The opcodes of every region, with those inherited from its headers."""
    levels: dict[str, dict[str, str]] = {}
    inherits = ("control", "global", "master", "group")
    for header, body in re.findall(r"<(\w+)>([^<]*)", text):
        opcodes = _opcodes(body)
        if header in inherits:
            levels[header] = (
                {**levels.get(header, {}), **opcodes} if header == "control" else opcodes
            )
            for lower in inherits[inherits.index(header) + 1 :]:
                if header != "control":
                    levels.pop(lower, None)
        elif header == "region":
            yield {
                key: value for level in inherits for key, value in levels.get(level, {}).items()
            } | opcodes


def _opcodes(body: str) -> dict[str, str]:
    """`key=value` pairs; a value, with spaces, ends at the next key or the end of the line."""
    found = {}
    for row in body.splitlines():
        places = list(OPCODE.finditer(row))
        for place, after in zip(places, [*places[1:], None], strict=False):
            found[place[1]] = row[place.end() : after.start() if after else len(row)].strip()
    return found


def sounds_by_itself(region: dict[str, str]) -> bool:
    """False for regions of a pedal, a controller, a key release or alternating takes."""
    if region.get("trigger", "attack") not in ("attack", "first") or "sample" not in region:
        return False
    if int(region.get("seq_position", 1)) > 1 or float(region.get("lorand", 0)) > 0:
        return False
    for key, value in region.items():
        if key.startswith("locc"):
            number = key[4:]
            if float(value) > max(
                float(region.get(f"set_cc{number}", 0)),
                127 * float(region.get(f"set_hdcc{number}", 0)),
            ):
                return False
    return True


def pitch(word: str) -> int:
    """A MIDI number, or the name of a note with its octave, such as c#4 or cs4 (60 is c4)."""
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    name = NOTE.fullmatch(word.lower())
    return NOTES[name[1]] + {"": 0, "#": 1, "s": 1, "b": -1}[name[2]] + 12 * (int(name[3]) + 1)


def is_note(word: str) -> bool:
    return bool(re.fullmatch(r"\d+", word) or NOTE.fullmatch(word.lower()))
