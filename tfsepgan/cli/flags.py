"""Flags of a command, from dataclasses: `--help` shows the usual ones, `--help-all` shows all.

A dataclass of options can have `TOPICS`: boxes of `--help` and the settings in each. Settings that
are in no box are shown by `--help-all`. Without `TOPICS`, `--help` shows every setting.
"""

import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import docstring_parser
import tyro

from tfsepgan.config import RENAMED, nearest
from tfsepgan.errors import ConfigError

Topics = Mapping[str, Sequence[str]]
"""Title of a box to the names of its settings; those of networks have dots."""

HELP, HELP_ALL = "--help", "--help-all"
WRITE_COMPLETION = "--tyro-write-completion"
SHELLS = ("bash", "zsh", "fish")
# the parsers have no source in which tyro could look for comments
FROM_FIELDS = (tyro.conf.HelptextFromCommentsOff,)


class Flag(NamedTuple):
    """A setting on the command line."""

    name: str
    kind: Any
    default: Any  # dataclasses.MISSING where a value is required
    text: str


def read_options(options: type, arguments: Sequence[str], *, program: str) -> Any:
    """Read a dataclass of options from the command line.

    Returns: an instance of `options`. After `--help` or a wrong flag, tyro ends the program.
    """
    topics, about = getattr(options, "TOPICS", {}), _about(options)
    sections = {"": options}
    return read_sections(sections, arguments, program=program, about=about, topics=topics)[""]


def read_subcommand(choices: Sequence[type], arguments: Sequence[str], *, program: str) -> Any:
    """Read one of several dataclasses: the first argument is the name of its class in lower case.

    Returns: an instance of that class.
    """
    check_completion(arguments)
    arguments, help_of = _help_of(arguments)
    parsers = {
        _parser({"": one}, getattr(one, "TOPICS", {}), help_of, _about(one)): one for one in choices
    }
    kinds = [
        Annotated[parser, tyro.conf.subcommand(one.__name__.lower())]
        for parser, one in parsers.items()
    ]
    union = functools.reduce(operator.or_, kinds)
    parsed = tyro.cli(union, args=arguments, prog=program, config=FROM_FIELDS)
    return _restored(parsers[type(parsed)], _flat(parsed))


def read_sections(
    sections: Mapping[str, Any],
    arguments: Sequence[str],
    *,
    program: str,
    about: str,
    topics: Topics,
) -> dict[str, Any]:
    """Read several dataclasses from one command line; no two have a setting of the same name.

    Args:
      sections: dataclasses, or instances whose values are the defaults, by the title that
        `--help-all` gives to the settings that are in no topic.
      about: paragraphs of at most 100 characters for the head of the help.
    Returns: instances of the dataclasses, by title.
    """
    check_completion(arguments)
    arguments, help_of = _help_of(arguments)
    parser = _parser(sections, topics, help_of, about)
    values = _flat(tyro.cli(parser, args=arguments, prog=program, config=FROM_FIELDS))
    return {title: _restored(settings, values) for title, settings in sections.items()}


def check_completion(arguments: Sequence[str]) -> None:
    """Raise ConfigError for a script of completion that tyro cannot write."""
    if arguments and arguments[0] == WRITE_COMPLETION:
        if len(arguments) != 3:
            raise ConfigError(f"{WRITE_COMPLETION} takes a shell and the file to write.")
        if arguments[1] not in SHELLS:
            raise ConfigError(f"got the shell {arguments[1]!r}; {nearest(arguments[1], SHELLS)}")


@functools.cache
def descriptions(kind: type) -> dict[str, str]:
    """The docstrings of a dataclass's fields, inherited ones too, each as one line."""
    return {
        field.arg_name: _joined(field.description)
        for base in reversed(kind.__mro__[:-1])
        for field in docstring_parser.parse_from_object(base).params
    }


def inherited(options: Any, kind: type) -> Any:
    """The part of a dataclass of options that it inherits from `kind`, as an instance of that."""
    return kind(**{field.name: getattr(options, field.name) for field in dataclasses.fields(kind)})


def _help_of(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments for tyro, and the help that they ask for: `HELP`, `HELP_ALL` or None."""
    given = [HELP if one == HELP_ALL else one for one in arguments]
    if HELP_ALL in arguments:
        return given, HELP_ALL
    return given, HELP if {"-h", HELP} & set(arguments) else None


def _parser(sections: Mapping[str, Any], topics: Topics, help_of: str | None, about: str) -> type:
    """The dataclass that tyro reads: a field for each box of the help."""
    flags = {title: list(_flags_of(settings)) for title, settings in sections.items()}
    by_name = {flag.name: flag for group in flags.values() for flag in group}
    listed = {name for names in topics.values() for name in names}
    if not topics:
        return _dataclass("Options", [_field(flag, help_of) for flag in by_name.values()], about)
    boxes = {
        title: [by_name[name] for name in names if name in by_name]
        for title, names in topics.items()
    }
    for title, group in flags.items():
        boxes[f"other {title}".strip()] = [flag for flag in group if flag.name not in listed]
    text = tyro.conf.arg(help="show every setting and exit", help_behavior_hint="")
    what = Annotated[bool, tyro.conf.FlagCreatePairsOff, text]
    fields = [("help_all", what, dataclasses.field(default=False))]
    for title, group in boxes.items():
        box = _dataclass("Box", [_field(flag, help_of, listed) for flag in group], "")
        required = any(flag.default is dataclasses.MISSING for flag in group)
        default = dataclasses.field() if required else dataclasses.field(default_factory=box)
        kind = Annotated[box, tyro.conf.arg(name=title, help="")]
        fields.append((title.replace(" ", "_"), kind, default))
    return _dataclass("Options", fields, about)


def _flags_of(settings: Any) -> Iterator[Flag]:
    kind = settings if isinstance(settings, type) else type(settings)
    hints, texts = typing.get_type_hints(kind, include_extras=True), descriptions(kind)
    for item in dataclasses.fields(kind):
        default = _default(item) if kind is settings else getattr(settings, item.name)
        yield Flag(item.name, hints[item.name], default, texts.get(item.name, ""))


def _default(item: dataclasses.Field) -> Any:
    factory = item.default_factory
    return item.default if factory is dataclasses.MISSING else factory()


def _field(
    flag: Flag, help_of: str | None, listed: Collection[str] | None = None, prefix: str = ""
) -> tuple[str, Any, Any]:
    """A field of the parser's dataclass; the short help hides it unless `listed` has its name."""
    name = prefix + flag.name
    if dataclasses.is_dataclass(flag.default):
        kind = type(flag.default)
        fields = [_field(one, help_of, listed, f"{name}.") for one in _flags_of(flag.default)]
        box = _dataclass(kind.__name__, fields, _joined(kind.__doc__))
        note = tyro.conf.arg(prefix_name=bool(prefix))
        return flag.name, Annotated[box, note], dataclasses.field(default_factory=box)
    earlier = tuple(
        f"--{prefix}{old}".replace("_", "-") for old, now in RENAMED.items() if now == flag.name
    )
    texts = {"help": flag.text or None, "metavar": _metavar(flag), "help_behavior_hint": _hint}
    notes = [tyro.conf.arg(prefix_name=bool(prefix), aliases=earlier or None, **texts)]
    required = flag.default is dataclasses.MISSING
    if help_of == HELP and listed is not None and name not in listed and not required:
        notes.append(tyro.conf.Suppress)
    if help_of and flag.default is False:  # --no-NAME is read too, but needs no place in the help
        notes.append(tyro.conf.FlagCreatePairsOff)
    default = dataclasses.field() if required else dataclasses.field(default=flag.default)
    return flag.name, Annotated[(_plain(flag.kind), *notes)], default


def _plain(kind: Any) -> Any:
    """The same type in the forms that tyro checks itself.

    For others it imports typeguard, which takes a tenth of a second.
    """
    if typing.get_origin(kind) is Annotated:
        kind, *notes = typing.get_args(kind)
        return Annotated[(_plain(kind), *notes)]
    if kind == tuple[str, ...]:
        return tuple
    if isinstance(kind, types.UnionType):
        parts = sorted(typing.get_args(kind), key=lambda part: part is not types.NoneType)
        return typing.Union[tuple(map(_plain, parts))]  # noqa: UP007
    return kind


def _hint(shown: str) -> str:
    return "" if shown in ("", "None") else f"(default: {shown})"


def _metavar(flag: Flag) -> str | None:
    """A placeholder for positional and optional values; None where tyro's own is good."""
    kind, *notes = (
        typing.get_args(flag.kind) if typing.get_origin(flag.kind) is Annotated else (flag.kind,)
    )
    parts = typing.get_args(kind)
    if tyro.conf.Positional in notes:
        return flag.name.upper() + (" ..." if Ellipsis in parts else "")
    if typing.get_origin(kind) in (typing.Union, types.UnionType) and types.NoneType in parts:
        value = next(part for part in parts if part is not types.NoneType)
        return {str: "STR", int: "INT", float: "FLOAT"}.get(value, "[STR ...]")
    return None


def _dataclass(name: str, fields: list[tuple[str, Any, Any]], about: str) -> type:
    made = dataclasses.make_dataclass(name, fields, frozen=True, kw_only=True)
    made.__doc__ = about
    return made


def _flat(parsed: Any) -> dict[str, Any]:
    """Values by the names of the settings, from all boxes."""
    values = vars(parsed)
    if "help_all" not in values:
        return values
    boxes = [box for name, box in values.items() if name != "help_all"]
    return {name: value for box in boxes for name, value in vars(box).items()}


def _restored(settings: Any, values: Mapping[str, Any]) -> Any:
    """The settings as their own dataclass, from the values of the parser's."""
    kind = settings if isinstance(settings, type) else type(settings)
    own = {}
    for item in dataclasses.fields(kind):
        value = values[item.name]
        if dataclasses.is_dataclass(value):
            nested = _default(item) if kind is settings else getattr(settings, item.name)
            value = _restored(nested, vars(value))
        own[item.name] = value
    return kind(**own)


def _about(options: type) -> str:
    """The paragraphs of a docstring, each on one line."""
    return "\n\n".join(map(_joined, (options.__doc__ or "").split("\n\n")))


def _joined(text: str | None) -> str:
    return " ".join((text or "").split())
