"""A pool of composed scenes on disk, and seeded training batches drawn from it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from .compose import MINIMUM_VISIBLE_PIXELS, Materials, compose

SIZE = 256
MASK_SIZE = 64  # the demo network's prototypes
MAXIMUM_OBJECTS = 8

_materials: Materials | None = None


def _start() -> None:
    global _materials
    cv2.setNumThreads(1)
    _materials = Materials()


def _make(job: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scene = compose(_materials, *job)
    labels = np.full(MAXIMUM_OBJECTS, -1, np.int8)
    labels[:len(scene.labels)] = scene.labels
    return scene.image, scene.instances, labels


def build_pool(folder: Path, seed: int, count: int, processes: int = 2) -> None:
    """Writes images.npy, instances.npy and labels.npy for scenes (seed, 0 ..< count); keeps what is there."""
    done = folder / f"done-{seed}-{count}"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    create = np.lib.format.open_memmap
    images = create(folder / "images.npy", "w+", np.uint8, (count, SIZE, SIZE, 3))
    instances = create(folder / "instances.npy", "w+", np.uint8, (count, SIZE, SIZE))
    labels = create(folder / "labels.npy", "w+", np.int8, (count, MAXIMUM_OBJECTS))
    with multiprocessing.get_context("spawn").Pool(processes, _start) as pool:
        jobs = ((seed, index) for index in range(count))
        for index, made in enumerate(pool.imap(_make, jobs, chunksize=32)):
            images[index], instances[index], labels[index] = made
    for array in (images, instances, labels):
        array.flush()
    done.touch()


class Batches(Dataset):
    """Batch number -> tensors. Batch k of a seed is the same in every run, whatever was drawn before."""

    def __init__(self, folder: Path, seed: int, batch: int, steps: int):
        self.folder, self.seed, self.batch, self.steps = folder, seed, batch, steps
        self.images = self.instances = self.labels = None

    def _open(self) -> None:
        """Opens the pool in the process that draws from it: a pickled memory map would carry the data along."""
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        self.images, self.instances, self.labels = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in ("images", "instances", "labels"))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        """image uint8 [N, 3, S, S]; boxes [N, 8, 4] relative corners; labels int64 [N, 8] from 1, 0 = none; masks."""
        if self.images is None:
            self._open()
        rng = np.random.Generator(np.random.PCG64([self.seed, 1, step]))
        count = len(self.images)
        per_epoch = count // self.batch
        order = np.random.Generator(np.random.PCG64([self.seed, 2, step // per_epoch])).permutation(count)
        start = step % per_epoch * self.batch
        samples = [self._sample(rng, int(index)) for index in order[start:start + self.batch]]
        images, boxes, labels, masks = (np.stack(part) for part in zip(*samples))
        return {
            "image": torch.from_numpy(images).permute(0, 3, 1, 2),
            "boxes": torch.from_numpy(boxes),
            "labels": torch.from_numpy(labels),
            "masks": torch.from_numpy(masks),
        }

    def _sample(self, rng: np.random.Generator, index: int):
        image, instances = np.asarray(self.images[index]), np.asarray(self.instances[index])
        if rng.random() < 0.5:
            image, instances = _zoom(rng, image, instances)
        if rng.random() < 0.5:
            image, instances = image[:, ::-1], np.ascontiguousarray(instances[:, ::-1])
        image = _recolour(rng, image)
        boxes = np.zeros((MAXIMUM_OBJECTS, 4), np.float32)
        labels = np.zeros(MAXIMUM_OBJECTS, np.int64)
        masks = np.zeros((MAXIMUM_OBJECTS, MASK_SIZE, MASK_SIZE), np.float32)
        for number, label in enumerate(self.labels[index]):
            if label < 0:
                continue
            visible = cv2.compare(instances, number + 1, cv2.CMP_EQ)
            if cv2.countNonZero(visible) < MINIMUM_VISIBLE_PIXELS:
                continue
            x, y, width, height = cv2.boundingRect(visible)
            boxes[number] = (x, y, x + width, y + height)
            labels[number] = label + 1
            masks[number] = cv2.resize(visible, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
        return image, boxes / SIZE, labels, masks / 255


def _zoom(rng: np.random.Generator, image: np.ndarray, instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A window of 70-100 % of each side, stretched back to the full size."""
    width, height = (int(round(SIZE * value)) for value in rng.uniform(0.7, 1.0, 2))
    x, y = int(rng.integers(SIZE - width + 1)), int(rng.integers(SIZE - height + 1))
    image = cv2.resize(np.ascontiguousarray(image[y:y + height, x:x + width]), (SIZE, SIZE))
    window = np.ascontiguousarray(instances[y:y + height, x:x + width])
    return image, cv2.resize(window, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)


def _recolour(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    gains = rng.uniform(0.8, 1.2) * rng.uniform(0.9, 1.1, 3)
    table = np.clip(np.arange(256)[:, None] * gains + rng.uniform(-12, 12), 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(image), np.ascontiguousarray(table[None]))
