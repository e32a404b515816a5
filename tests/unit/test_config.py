"""Strict configurations: what is wrong is said by key, with what is allowed."""

import pytest
from pydantic import Field, ValidationError
from unnp.config import Config, dump_yaml, from_dict, load_yaml
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
        ({"name": "x", "part": 3}, "part: Input should be"),
        ({"name": "x", 3: "y"}, "3"),
    ],
)
def test_mistakes(content, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(content, Whole, where="here")


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
