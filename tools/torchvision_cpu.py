"""torchvision's Python models beside a CPU build of torch.

The PyPI wheel's operator library is linked against CUDA and does not load here; importing the package then fails where
it registers shape functions for two operators that nobody defined. Their schemas are enough: no model uses them.
"""

from __future__ import annotations

import torch

_library = torch.library.Library("torchvision", "FRAGMENT")
for _schema in ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
                "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"):
    if not hasattr(torch.ops.torchvision, _schema.split("(")[0]):
        _library.define(_schema)

from torchvision import models  # noqa: E402

__all__ = ["models"]
