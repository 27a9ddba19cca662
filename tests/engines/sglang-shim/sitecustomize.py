"""Lets torchvision, which comes as a CUDA build, be imported beside a torch for CPUs.

Its compiled part cannot be loaded there, so the operators it would register are missing, and torchvision's import
stops at the first of them. They are declared, without a body, just before torchvision is imported; nothing here ever
calls them. Python runs this file at start because its folder is on PYTHONPATH.
"""

import importlib.abc
import sys
from typing import Any

OPERATORS = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class DeclareOperators(importlib.abc.MetaPathFinder):
    """Finds nothing; only sees torchvision's import coming."""

    done = False

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "torchvision" and not self.done:
            self.done = True
            import torch  # type: ignore[import-not-found]

            for operator in OPERATORS:
                torch.library.define(f"torchvision::{operator}", SIGNATURE)


sys.meta_path.insert(0, DeclareOperators())
