"""The compiled parts: the core library with the ops that exported models call, and the checks of model files."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from unnp.errors import UnnpError

_HOW_TO_BUILD = (
    "From the source tree: `make`, or, in an environment that has torch, "
    "`pip install scikit-build-core pybind11 nlohmann-json` and then `pip install --no-build-isolation .`"
)


@cache
def core() -> ModuleType:
    """Return the bindings ``unnp._core``; loading them registers the ops.

    Raises:
        UnnpError: the compiled part is absent, or was built for another release of torch.
    """
    import torch  # loads libtorch, which the core library needs

    try:
        module = import_module("unnp._core")
    except ModuleNotFoundError:
        raise UnnpError(f"the compiled part of unnp is not installed. {_HOW_TO_BUILD}") from None
    except ImportError as error:
        raise UnnpError(
            f"the compiled part of unnp does not load beside torch {torch.__version__} ({error}); it was probably built for "
            f"another torch or Python. Install it again. {_HOW_TO_BUILD}"
        ) from None
    built = module.build_info()["torch_built"]
    if built.split(".")[:2] != torch.__version__.split(".")[:2]:
        raise UnnpError(
            f"unnp was compiled for torch {built}, but torch {torch.__version__} is installed. "
            f"Install unnp again. {_HOW_TO_BUILD}"
        )
    return module


@cache
def model_files() -> ModuleType:
    """Return the bindings ``unnp._model_files``, the checks of model files, which need no torch.

    Raises:
        UnnpError: the compiled part is absent.
    """
    try:
        return import_module("unnp._model_files")
    except ImportError as error:
        raise UnnpError(f"the compiled part of unnp is not installed ({error}). {_HOW_TO_BUILD}") from None


def is_available() -> bool:
    """Return whether the compiled part is installed and loads."""
    try:
        core()
    except UnnpError:
        return False
    return True
