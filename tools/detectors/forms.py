"""Every export that tools/check-detectors compares."""

from __future__ import annotations

from . import (classification, detr, fcos, mask2former, nanodet, patches, rcnn, retinanet, rtmdet, semantic, ssd,
               yolo_forms, yolox)
from .form import Form

FAMILIES = (yolo_forms, yolox, nanodet, ssd, retinanet, fcos, rcnn, detr, mask2former, rtmdet, patches, semantic,
            classification)
FORMS: dict[str, Form] = {form.name: form for family in FAMILIES for form in family.forms()}
