"""Backbones with the reference's module names; each returns C3, C4, C5 (strides 8, 16, 32)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """ResNet bottleneck (arXiv 1512.03385, figure 5 right) with the stride on the 3x3 convolution."""

    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int, downsample: nn.Module | None):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + residual)


class BasicBlock(nn.Module):
    """ResNet basic block (arXiv 1512.03385, figure 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, planes: int, stride: int, downsample: nn.Module | None):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + residual)


class ResNet(nn.Module):
    """Stem, then one stage per entry of `blocks`; `planes` are the stages' widths before expansion."""

    def __init__(self, block, blocks: tuple[int, ...], planes: tuple[int, ...], stem: nn.Conv2d, pool: bool):
        super().__init__()
        self.conv1 = stem
        self.bn1 = nn.BatchNorm2d(stem.out_channels)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()
        self.layers = nn.ModuleList()
        self.channels: list[int] = []
        inputs = stem.out_channels
        for index, (count, width) in enumerate(zip(blocks, planes)):
            stride = 1 if pool and index == 0 else 2
            outputs = width * block.expansion
            downsample = None
            if stride != 1 or inputs != outputs:
                downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            stage = [block(inputs, width, stride, downsample)]
            stage += [block(outputs, width, 1, None) for _ in range(count - 1)]
            self.layers.append(nn.Sequential(*stage))
            self.channels.append(outputs)
            inputs = outputs
        self.channels = self.channels[-3:]

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        outputs = []
        for stage in self.layers:
            x = stage(x)
            outputs.append(x)
        return outputs[-3:]


def _darknet_unit(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


class DarknetBlock(nn.Module):
    """1x1 to half the channels, 3x3 back, shortcut added after the activation (YOLOv3, arXiv 1804.02767)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = _darknet_unit(channels, channels // 2, 1)
        self.conv2 = _darknet_unit(channels // 2, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x)) + x


class Darknet(nn.Module):
    """DarkNet-53 without its classifier."""

    def __init__(self, blocks: tuple[int, ...] = (1, 2, 8, 8, 4)):
        super().__init__()
        self.layers = nn.ModuleList()
        self._preconv = _darknet_unit(3, 32, 3)
        inputs = 32
        for count in blocks:
            stage = [_darknet_unit(inputs, inputs * 2, 3, 2)]
            inputs *= 2
            stage += [DarknetBlock(inputs) for _ in range(count)]
            self.layers.append(nn.Sequential(*stage))
        self.channels = [inputs // 4, inputs // 2, inputs]

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self._preconv(x)
        outputs = []
        for stage in self.layers:
            x = stage(x)
            outputs.append(x)
        return outputs[-3:]


def _stem(channels: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(3, channels, kernel, 2, kernel // 2, bias=False)


BACKBONES = {
    "resnet50": lambda: ResNet(Bottleneck, (3, 4, 6, 3), (64, 128, 256, 512), _stem(64, 7), pool=True),
    "resnet101": lambda: ResNet(Bottleneck, (3, 4, 23, 3), (64, 128, 256, 512), _stem(64, 7), pool=True),
    "darknet53": Darknet,
    "slim": lambda: ResNet(BasicBlock, (1, 2, 2, 2), (32, 64, 128, 224), _stem(24, 3), pool=False),
}
