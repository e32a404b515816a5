"""Strict configurations: what is wrong is said by key, with what is allowed."""

import os
import time
from collections import Counter
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated, Literal

import pytest
import unnp
import yaml
from pydantic import Field, ValidationError
from unnp.config import Config, dump_yaml, from_dict, load_yaml
from unnp.config.base import read_yaml
from unnp.config.overrides import apply_settings, load_with_overrides
from unnp.errors import ConfigError


class Part(Config):
    width: int = Field(default=3, ge=1)
    """channels"""


class Whole(Config):
    name: str
    part: Part = Part()
    parts: dict[str, Part] = Field(default_factory=dict)
    listed: list[Part] = Field(default_factory=list)
    maybe: Part | None = None


def test_defaults_and_values():
    config = from_dict({"name": "x", "part": {"width": 5}, "listed": [{}]}, Whole)
    assert config == Whole(name="x", part=Part(width=5), listed=[Part(width=3)])
    with pytest.raises(ValidationError):
        config.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "name: Field required"),
        ({"name": "x", "prat": {}}, "prat: unknown key. Did you mean 'part'"),
        ({"name": "x", "part": {"wdith": 1}}, r"part.wdith: unknown key. Did you mean 'width'\? Allowed here: width."),
        ({"name": "x", "parts": {"a": {"with": 1}}}, "parts.a.with: unknown key. Did you mean 'width'"),
        ({"name": "x", "listed": [{}, {"wide": 1}]}, "listed.1.wide: unknown key. Did you mean 'width'"),
        ({"name": "x", "maybe": {"whidth": 1}}, "maybe.whidth: unknown key. Did you mean 'width'"),
        ({"name": "x", "part": {"width": 0}}, r"part.width: Input should be greater than or equal to 1 \(got 0\)"),
        ({"name": "x", "part": {"width": 2.5}}, "part.width: Input should be a valid integer"),
        ({"name": "x", "part": 3}, r"part: Input should be a table \(got 3\)"),
        ({"name": "x", 3: "y"}, "3"),
    ],
)
def test_mistakes(content, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(content, Whole, where="here")


class Sphere(Config):
    kind: Literal["sphere"] = "sphere"
    radius: float


class Box(Config):
    kind: Literal["box"] = "box"
    sides: list[float] | Literal["cube"]


class Several(Config):
    fixed: Literal["file", "none"] | list[int] | Part | None = None
    size: Annotated[float, Field(gt=0)] | tuple[float, float] = 1.0
    parts: list[Part | int] | Part = Part()
    shapes: list[Annotated[Sphere | Box, Field(discriminator="kind")]] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ({"fixed": 3}, ["fixed: Input should be 'file' or 'none', or a list, or a table (got 3)"]),
        ({"fixed": "fil"}, ["fixed: Input should be 'file' or 'none', or a list, or a table (got 'fil')"]),
        ({"fixed": {"wdith": 1}}, ["fixed.wdith: unknown key. Did you mean 'width'? Allowed here: width."]),
        ({"fixed": [1, "a"]}, ["fixed.1: Input should be a valid integer, unable to parse string as an integer (got 'a')"]),
        ({"size": -5}, ["size: Input should be greater than 0 (got -5)"]),
        ({"size": "hot"}, ["size: Input should be a number, or a list (got 'hot')"]),
        ({"size": [1]}, ["size.1: Field required"]),
        ({"parts": [{}, {"width": 0}]}, ["parts.1.width: Input should be greater than or equal to 1 (got 0)"]),
        ({"parts": [{}, "x"]}, ["parts.1: Input should be a table, or a whole number (got 'x')"]),
        ({"shapes": [{"kind": "sphere", "radius": "x"}]}, ["shapes.0.sphere.radius: Input should be a valid number, "
          "unable to parse string as a number (got 'x')"]),
        ({"shapes": [{"kind": "box", "sides": 4}]}, ["shapes.0.box.sides: Input should be a list, or 'cube' (got 4)"]),
        ({"size": "hot", "fixed": 3}, [
            "fixed: Input should be 'file' or 'none', or a list, or a table (got 3)",
            "size: Input should be a number, or a list (got 'hot')",
        ]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_setting_of_several_kinds_is_told_once(content, lines):
    with pytest.raises(ConfigError) as error:
        from_dict(content, Several, where="here")
    assert str(error.value).splitlines()[1:] == [f"  {line}" for line in lines]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError, match=r"^here:\n  .*\n  .*") as error:
        from_dict({"nam": "x", "part": {"width": 0}}, Whole, where="here")
    assert "name: Field required" in str(error.value)


def test_yaml_there_and_back(tmp_path):
    config = Whole(name="x: # y", parts={"a": Part(width=2)})
    (tmp_path / "c.yaml").write_text(dump_yaml(config))
    assert load_yaml(tmp_path / "c.yaml", Whole) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name: [", "is not valid YAML"),
        (b"- 1\n- 2\n", "must hold `key: value` lines, found list"),
        (b"", "must hold `key: value` lines, found NoneType"),
        (b"\xff\xfe\x00", "cannot read"),
        (b"name: !!python/object/apply:os.getcwd []\n", "is not valid YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    (tmp_path / "c.yaml").write_bytes(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_yaml(tmp_path / "c.yaml", Whole)
    assert "c.yaml" in str(error.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*absent.yaml"):
        load_yaml(tmp_path / "absent.yaml", Whole)
    with pytest.raises(ConfigError, match="cannot read"):
        load_yaml(tmp_path, Whole)


def test_overrides(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("name: x\npart: {width: 2}\n")
    config = load_with_overrides(path, ["part.width=7", "parts.new.width=8", "name=3 words here"], Whole)
    assert config == Whole(name="3 words here", part=Part(width=7), parts={"new": Part(width=8)})
    with pytest.raises(ConfigError, match=r"with --set.*\n.*part.widht: unknown key"):
        load_with_overrides(path, ["part.widht=7"], Whole)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("name", "KEY=VALUE"),
        ("=3", "KEY=VALUE"),
        ("name=[", "not a YAML value"),
        ("name.first=3", "holds a value, not a table"),
    ],
)
def test_overrides_that_are_none(setting, message):
    with pytest.raises(ConfigError, match=message):
        apply_settings({"name": "x"}, [setting])


class Values(Config):
    whole: int = 1
    number: float = 1.0
    switch: bool = False
    text: str = ""
    numbers: tuple[int, float] | float = 1.0
    by_name: dict[str, float] = Field(default_factory=dict)
    texts: list[str] = Field(default_factory=list)


def read(tmp_path, text: str | bytes):
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_yaml(path, Values)


def test_yaml_means_what_it_seems_to_mean(tmp_path):
    text = """
whole: 012
number: 1e-3
switch: yes
text: 2020-13-45
numbers: [1_000, .5]
by_name: {No: 1, on: 2e3, "3": +4.}
texts: [No, Y, y, N, On, off, 1:30, =, '12', "true"]
"""
    values = read(tmp_path, text)
    assert (values.whole, values.number, values.switch, values.text) == (12, 0.001, True, "2020-13-45")
    assert values.numbers == (1000, 0.5)
    assert values.by_name == {"No": 1.0, "on": 2000.0, "3": 4.0}
    assert values.texts == ["No", "Y", "y", "N", "On", "off", "1:30", "=", "12", "true"]


def test_texts_that_look_like_something_else_come_back(tmp_path):
    words = [
        "No",
        "012",
        "08",
        "1e5",
        "1_0",
        "~",
        "",
        "true",
        "2020-01-01",
        ".nan",
        "0x1f",
        "<<",
        "1:30",
        "# no",
        "a: b",
    ]
    values = Values(texts=words, number=1e22, by_name={"on": 0.1})
    text = dump_yaml(values)
    assert read(tmp_path, text) == values
    assert yaml.safe_load(text)["texts"] == words


def test_merged_tables_and_aliases(tmp_path):
    (tmp_path / "c.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n")
    content = read_yaml(tmp_path / "c.yaml")
    assert content == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": [{"x": 1, "y": 2}] * 2}


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("texts: " + "[" * 1500 + "]" * 1500, "line 1, column 107: nested more than 100 levels deep"),
        ("texts: " + "[" * 100_000, "nested more than 100 levels deep"),
        ("".join(f"{' ' * k}a:\n" for k in range(300)), "nested more than 100 levels deep"),
        ("".join(f"a{k}: &a{k} [*a{k - 1}]\n" for k in range(1, 300)).replace("[*a0]", "[]"), "nested more than 100"),
        ("whole: " + "9" * 5000, r"line 1, column 8: '9{40}\.\.\. \(5000 characters\)' is not a number"),
        ("number: " + "9" * 5000, "is not a number"),
        ("text: !!timestamp 2020-13-45", "'2020-13-45' is not a number"),
        ("whole: 1\nnumber: 2\nwhole: 3\n", "line 3, column 1: the key 'whole' stands twice"),
        ("by_name: {a: 1, 'a': 2}", "the key 'a' stands twice"),
        ("by_name: {a: 1, ? [b] : 2}", "found unhashable key"),
        ("a: &a [*a]\n", "a value holds itself"),
        ("a: &a {b: {c: *a}}\n", "a value holds itself"),
        (LAUGHS, "more than 1000000 values"),
        ("text: " + "x" * 4_000_001, r"at most 4000000"),
        ("text: *" + "b" * 5000, "undefined alias"),
        ("text: !" + "b" * 5000 + " c", "could not determine a constructor"),
        ("text: 'open", "line 1, column 12: found unexpected end"),
        ("whole: 1\n--- \nwhole: 2\n", "expected a single document|but found another document"),
        ("text: a\x1bb", "special characters are not allowed"),
        (b"text: \xff", "is not text in UTF-8"),
        ("whole: true", "`whole` must be a number, not true"),
        ("number: false", "`number` must be a number, not false"),
        ("numbers: [1, true]", "`numbers` must be a number"),
        ("by_name: {a: true}", "`by_name.a` must be a number"),
        ("number: .inf", "finite number"),
        ("number: -.INF", "finite number"),
        ("number: .nan", "finite number"),
        ("number: 'nan'", "finite number"),
        ("number: 1e400", "finite number"),
        ("by_name: {a: .nan}", "finite number"),
        ("whole: " + "9" * 30, "larger number than can be counted"),
        ("whole: 1e30", "whole"),
        ("whole: [" + "9" * 100 + "]", r"whole: Input should be a valid integer \(got \[9{100}\]\)"),
        ("texts: [0x" + "f" * 5000 + "]", "is not a number that can be used"),
        ("text: " + "9" * 4200, "is not a number that can be used"),
        (
            "text: [" + "x" * 5000 + "]",
            r"text: Input should be a valid string \(got \['x{198}\.\.\. \(5004 characters\)\)",
        ),
        ("x" * 900 + ": 1", r"x{200}\.\.\. \(900 characters\): unknown key"),
        ('"a\\e[2Jb\\nERROR: c": 1', r"a\\x1b\[2Jb\\nERROR: c: unknown key"),
        ('whole: "\\e[2J"', r"whole: .* \(got '\\x1b\[2J'\)"),
        ('text: "a\\0b"', "holds characters that no text has"),
        ('texts: ["\\ud800"]', "holds characters that no text has|could not|special"),
        ("{" + ", ".join(f"a{k}: 1" for k in range(1000)) + "}", r"\.\.\. and 990 more\."),
    ],
)
def test_mistakes_are_said_in_a_few_short_lines(tmp_path, text, message):
    start = time.monotonic()
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, text)
    said = str(error.value)
    assert len(said.splitlines()) <= 12
    assert max(map(len, said.splitlines())) < 1000
    assert "\x1b" not in said
    assert time.monotonic() - start < 5


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfwhole: 3\n").whole == 3


def test_a_named_pipe_is_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "c.yaml")
    with pytest.raises(ConfigError, match="it is no file"):
        load_yaml(tmp_path / "c.yaml", Values)
    with pytest.raises(ConfigError, match="cannot read"):
        load_yaml("a\0b", Values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["by_name={a: 1, a: 2}"], "the key 'a' stands twice"),
        (["texts=" + "[" * 1500], "nested more than 100"),
        (["whole=" + "9" * 5000], r"--set whole=9{194}\.\.\. .* is not a number"),
        (["whole=1", "whole=2"], "'whole' is given twice"),
        (["a\x1b[2J"], r"--set a\\x1b\[2J: give KEY=VALUE"),
    ],
)
def test_overrides_are_read_like_files(settings, message):
    with pytest.raises(ConfigError, match=message) as error:
        apply_settings({}, settings)
    assert len(str(error.value)) < 600


def test_overrides_of_elements():
    assert apply_settings({}, ["elements=[No, Y]", "damping=1e-3"]) == {"elements": ["No", "Y"], "damping": 0.001}


def own_configurations(kind: type[Config] = Config) -> set[type[Config]]:
    inner = {one for each in kind.__subclasses__() for one in (each, *own_configurations(each))}
    return {one for one in inner if one.__module__.startswith("unnp.")}


def test_no_two_configurations_share_a_name():
    for module in walk_packages(unnp.__path__, "unnp."):
        if module.name.endswith(("config", "settings")):
            import_module(module.name)
    names = Counter(kind.__name__ for kind in own_configurations() if kind.__name__ != "Config")
    assert len(names) > 20
    assert names.most_common(1)[0][1] == 1, names.most_common(3)
