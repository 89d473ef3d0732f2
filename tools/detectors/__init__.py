"""Detector families: small exports with random weights, their cards, and independent statements of their decoders."""

import torchvision_cpu  # noqa: F401  (makes torchvision importable)
from modules import vision_operators  # noqa: F401  (torchvision's operators in plain PyTorch)
