"""Strict configuration: pydantic models, YAML in, the resolved configuration and its JSON schema out."""

from unnp.config.base import Config, dump_yaml, from_dict, load_yaml

__all__ = ["Config", "dump_yaml", "from_dict", "load_yaml"]
