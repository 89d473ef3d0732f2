#!/usr/bin/env python3
"""Trains the demo network on composed emoji scenes; resumable, with a budget in minutes or steps.

The learning rate follows the used share of the budget (cosine). With --steps a run depends on --seed alone; with
--minutes it also depends on the machine's speed, and the number of steps taken is stored in the checkpoint.

Each process trains on its share of the batch with one thread, and gradients are averaged: oneDNN's convolution
gradients meet in spin barriers inside a step, which cost most of the time once other jobs share the cores.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn
from torch.utils.data import DataLoader, Subset

from scenes.coco import encode_mask, evaluate, ground_truth
from scenes.compose import Materials, compose
from scenes.pool import Batches, build_pool
from yolact.config import DEMO
from yolact.detect import detect
from yolact.losses import losses
from yolact.model import Yolact
from yolact.priors import make_priors

MEAN, STD = (123.68, 116.78, 103.94), (58.40, 57.12, 57.38)
WATCH_SEED = 90_001  # scenes watched during training; neither the pool nor the held-out set
WARM_UP_STEPS = 300


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, the scene pool and the log")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float)
    budget.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=12, help="of all processes together")
    parser.add_argument("--rate", type=float, default=1.8e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--save-minutes", type=float, default=4)
    parser.add_argument("--evaluate-minutes", type=float, default=14)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-bf16", action="store_true", help="float32 convolutions")
    options = parser.parse_args()
    if options.processes < 1 or options.batch % options.processes:
        parser.error(f"--batch: a multiple of --processes; got {options.batch} and {options.processes}")
    return options


def initialise(network: Yolact) -> None:
    """Kaiming for the backbone (no pretrained weights here), Xavier elsewhere, as in the reference."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            if name.startswith("backbone."):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def normalise(image: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((image.float() - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, step: int) -> None:
    decay = min(0.998, (1 + step) / (10 + step))
    ours, theirs = list(average.state_dict().values()), list(network.state_dict().values())
    floating = [index for index, tensor in enumerate(ours) if tensor.dtype.is_floating_point]
    torch._foreach_lerp_([ours[i] for i in floating], [theirs[i] for i in floating], 1 - decay)


@torch.no_grad()
def measure(network: Yolact, scenes: list) -> dict[str, float]:
    """COCO figures of the float32 network on `scenes`."""
    network.eval()
    priors = torch.from_numpy(make_priors(network.config))
    results = []
    for image_id, scene in enumerate(scenes, 1):
        image = normalise(torch.from_numpy(np.ascontiguousarray(scene.image.transpose(2, 0, 1)))[None])
        loc, conf, mask, proto = (output[0] for output in network(image))
        for found in detect(loc, conf.softmax(-1), mask, proto, priors, scene.instances.shape):
            x1, y1, x2, y2 = found["box"]
            results.append({"image_id": image_id, "category_id": found["label"] + 1, "score": found["score"],
                            "bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": encode_mask(found["mask"])})
    return evaluate(ground_truth(scenes, [""] * len(scenes)), results)


def synchronise(network: nn.Module, seconds: float, processes: int) -> float:
    """Averages gradients over the processes, in place; returns process 0's clock, so that all follow one schedule."""
    if processes == 1:
        return seconds
    gradients = [parameter.grad for parameter in network.parameters()]
    clock = torch.tensor([seconds if dist.get_rank() == 0 else 0.0])
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [clock])
    dist.all_reduce(flat)
    offset = 0
    for gradient in gradients:
        count = gradient.numel()
        gradient.copy_(flat[offset:offset + count].view_as(gradient) / processes)
        offset += count
    return float(flat[-1])


def train(rank: int, options: argparse.Namespace) -> None:
    """One process of the run; process 0 averages weights, evaluates, logs and saves."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    if options.processes > 1:
        dist.init_process_group("gloo", init_method=f"file://{(options.out / 'rendezvous').resolve()}", rank=rank,
                                world_size=options.processes)
    materials = Materials()
    watched = [compose(materials, WATCH_SEED, index) for index in range(100)] if rank == 0 else []

    network = Yolact(DEMO)
    initialise(network)
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False)
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": weights, "weight_decay": options.decay}, {"params": others, "weight_decay": 0.0}], options.rate)
    step, used = 0, 0.0
    checkpoint = options.out / "checkpoint.pth"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step, used = state["step"], state["seconds"]

    def save() -> None:
        partial = checkpoint.with_suffix(".partial")
        torch.save({"network": network.state_dict(), "average": average.state_dict(), "step": step, "seconds": used,
                    "optimiser": optimiser.state_dict(), "seed": options.seed}, partial)
        partial.replace(checkpoint)

    def report(**fields) -> None:
        line = json.dumps({"step": step, "minutes": round(used / 60, 2), **fields})
        print(line, flush=True)
        with (options.out / "log.jsonl").open("a") as log:
            log.write(line + "\n")

    priors = torch.from_numpy(make_priors(DEMO))
    batches = Batches(options.out / "pool", options.seed, options.batch // options.processes, 10_000_000)
    mine = range(step * options.processes + rank, len(batches), options.processes)
    loader = iter(DataLoader(Subset(batches, mine), batch_size=None, num_workers=1, prefetch_factor=4,
                             multiprocessing_context="spawn"))
    sums: dict[str, float] = {}
    summed = 0
    last_save = last_evaluation = used
    mark = time.monotonic()
    network.train()
    while True:
        share = used / (60 * options.minutes) if options.minutes else step / options.steps
        if share >= 1:
            break
        rate = options.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS)
        batch = next(loader)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not options.no_bf16):
            levels = network.features(normalise(batch["image"]))
            loc, conf, mask, proto = network.heads(levels)
            semantic = network.semantic_seg_conv(levels[0])
        outputs = {"loc": loc.float(), "conf": conf.float(), "mask": mask.float(), "proto": proto.float(),
                   "semantic": semantic.float()}
        generator = torch.Generator().manual_seed((options.seed * 1_000_003 + step) * 64 + rank)
        terms = losses(outputs, batch, priors, generator)
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        now = time.monotonic()
        used, mark = synchronise(network, used + now - mark, options.processes), now
        nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        step += 1
        if rank > 0:
            continue
        update_average(average, network, step)
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        summed += 1
        if step % 100 == 0:
            report(rate=round(optimiser.param_groups[0]["lr"], 6), **{k: round(v / summed, 4) for k, v in sums.items()})
            if not all(math.isfinite(value) for value in sums.values()):
                raise SystemExit("the loss is not finite")
            sums.clear()
            summed = 0
        if used - last_save > 60 * options.save_minutes:
            save()
            last_save = used
        if used - last_evaluation > 60 * options.evaluate_minutes:
            report(watched={k: round(v, 4) for k, v in measure(average, watched).items()})
            last_evaluation = used
    if rank == 0:
        save()
        report(watched={k: round(v, 4) for k, v in measure(average, watched).items()}, finished=True)


def main() -> None:
    options = arguments()
    build_pool(options.out / "pool", options.seed, options.scenes)
    (options.out / "rendezvous").unlink(missing_ok=True)
    if options.processes == 1:
        train(0, options)
    else:
        torch.multiprocessing.spawn(train, (options,), options.processes)


if __name__ == "__main__":
    main()
