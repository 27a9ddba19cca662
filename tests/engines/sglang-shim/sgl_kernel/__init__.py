"""Stands in for SGLang's package of CUDA kernels where there is no GPU, so that SGLang can be imported.

Every name of it exists and every call raises: on a CPU SGLang takes its own torch code instead.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

__version__ = "0.4.10"
__path__ = []


class MissingKernel:
    """A function, or a namespace of functions, that is not there."""

    def __init__(self, name: str) -> None:
        self.__dict__["__name__"] = name

    def __call__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(f"{self.__name__}: there are no CUDA kernels here")

    def __getattr__(self, name: str) -> "MissingKernel":
        if name.startswith("__"):
            raise AttributeError(name)
        return MissingKernel(f"{self.__dict__['__name__']}.{name}")


def names_of(module: str) -> Any:
    """A module's `__getattr__`: classes for capitalised names (they are inherited from), functions for others."""

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {}) if name[:1].isupper() else MissingKernel(f"{module}.{name}")

    return get


class Submodules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Any `sgl_kernel.x.y` is a module of missing kernels."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname.startswith(__name__ + "."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__getattr__ = names_of(spec.name)  # type: ignore[method-assign]
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


sys.meta_path.insert(0, Submodules())
__getattr__ = names_of(__name__)
