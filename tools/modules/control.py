"""Conditions and loops: compiled by TorchScript, or torch.cond and loops over symbolic extents by dynamo."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from modules.form import Form, floats, function, integers


class Branches(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            y = x * 2
        elif bool(x.max() > 0.5):
            y = x - 1
        else:
            y = torch.relu(-x)
        return y + x


class Doubling(nn.Module):
    """A while loop whose number of passes depends on data."""

    def forward(self, x: Tensor) -> Tensor:
        while bool(x.abs().max() < 10):
            x = x * 2
        return x


class Counting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x[0])
        for index in range(x.size(0)):
            if index % 2 == 0:
                total = total + x[index] * index
            else:
                total = torch.maximum(total, x[index])
        return total


class Listing(nn.Module):
    """A list that grows in a loop."""

    def forward(self, x: Tensor) -> Tensor:
        rows: list[Tensor] = []
        for index in range(x.size(0)):
            rows.append(x[index].cumsum(0))
        return torch.stack(rows)


class Unrolled(nn.Module):
    """A cell run over time, step by step, until the values are small."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(9, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        state = x[0, :, :1] * torch.zeros(5)
        states: list[Tensor] = []
        for index in range(x.size(0)):
            state = torch.tanh(self.gate(torch.cat([x[index], state], 1)))
            states.append(state)
        return torch.stack(states), state


class Nested(nn.Module):
    def forward(self, x: Tensor, count: Tensor) -> Tensor:
        for outer in range(int(count)):
            for inner in range(outer):
                if bool(x[0, 0] < inner):
                    x = x + inner
                else:
                    x = x - 0.5
        return x


class Condition(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cond(x.sum() > 0, lambda x: x * 2, lambda x: torch.relu(-x) + 1, (x,))


class NestedCondition(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        def inner(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return torch.cond(y.max() > 1, lambda x, y: (x + y, x - y), lambda x, y: (x * y, y.clone()), (x, y))

        return torch.cond(x.mean() > 0, inner, lambda x, y: (x.sin(), y.cos()), (x, y))


class Scanning(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        from torch._higher_order_ops import scan

        return scan(lambda carry, row: (carry + row, carry * row), torch.zeros(4), x)


def forms() -> list[Form]:
    positive, negative = floats(3, 4).abs(), -floats(3, 4).abs() - 1
    return [
        Form("script_if", Branches, (positive,), scripted=True),
        Form("script_elif", Branches, (negative,), scripted=True),
        Form("script_while", Doubling, (positive,), scripted=True),
        Form("script_for", Counting, (floats(5, 4),), (floats(8, 4),), scripted=True),
        Form("script_list", Listing, (floats(5, 4),), (floats(3, 4),), scripted=True),
        Form("script_cell", Unrolled, (floats(6, 2, 4),), (floats(4, 3, 4),), scripted=True),
        Form("script_nested", Nested, (floats(3, 4), torch.tensor(4)), scripted=True),
        Form("cond_true", Condition, (positive,)),
        Form("cond_false", Condition, (negative,)),
        Form("cond_nested", NestedCondition, (positive, floats(3, 4))),
        Form("scan", Scanning, (floats(5, 4),)),
        function("data_dependent_size", lambda i: torch.nonzero(i).sum(0), integers(3, 4, 5)),
    ]
