"""Convolutions, pooling, normalisations, activations, resizing."""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F

from modules.form import Form, floats, function, layer


def settled(module: nn.Module) -> nn.Module:
    """Statistics and affine parameters away from 0 and 1."""
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)
    return module


def convolutions() -> list[Form]:
    line, picture, volume = floats(2, 4, 15), floats(2, 4, 11, 13), floats(1, 2, 6, 7, 8)
    return [
        layer("conv1d", lambda: nn.Conv1d(4, 6, 5, stride=2, padding=3), line, other=(floats(3, 4, 20),)),
        layer("conv1d_dilated", lambda: nn.Conv1d(4, 6, 3, dilation=3, padding="same"), line),
        layer("conv2d", lambda: nn.Conv2d(4, 8, 3, padding=1), picture, other=(floats(3, 4, 16, 9),)),
        layer("conv2d_asymmetric", lambda: nn.Conv2d(4, 5, (1, 5), stride=(2, 1), padding=(0, 2)), picture),
        layer("conv2d_even_same", lambda: nn.Conv2d(4, 5, 4, padding="same"), picture),
        layer("conv2d_grouped", lambda: nn.Conv2d(4, 8, 3, groups=2, bias=False), picture),
        layer("conv2d_depthwise", lambda: nn.Conv2d(4, 8, 3, groups=4, padding=2, dilation=2), picture),
        layer("conv2d_reflect", lambda: nn.Conv2d(4, 4, 3, padding=2, padding_mode="reflect"), picture),
        layer("conv2d_replicate", lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate"), picture),
        layer("conv2d_circular", lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), picture),
        layer("conv3d", lambda: nn.Conv3d(2, 4, 3, stride=(1, 2, 1), padding=1, groups=2), volume),
        layer("conv_transpose1d", lambda: nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1), line),
        layer("conv_transpose2d", lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
              picture, other=(floats(1, 4, 6, 6),)),
        layer("conv_transpose2d_dilated", lambda: nn.ConvTranspose2d(4, 3, 3, stride=3, dilation=2), picture),
        layer("conv_transpose3d", lambda: nn.ConvTranspose3d(2, 3, 2, stride=2), volume),
        function("conv2d_functional", lambda x, w: F.conv2d(x, w, stride=2), picture, floats(3, 4, 3, 3)),
    ]


def normalisations() -> list[Form]:
    picture, rows = floats(2, 6, 7, 5), floats(3, 9, 12)
    return [
        layer("batch_norm1d", lambda: settled(nn.BatchNorm1d(12)), floats(5, 12)),
        layer("batch_norm2d", lambda: settled(nn.BatchNorm2d(6)), picture, other=(floats(1, 6, 4, 4),)),
        layer("batch_norm3d", lambda: settled(nn.BatchNorm3d(2)), floats(1, 2, 3, 4, 5)),
        layer("layer_norm", lambda: settled(nn.LayerNorm(12)), rows, other=(floats(2, 4, 12),)),
        layer("layer_norm_two_axes", lambda: settled(nn.LayerNorm((9, 12), eps=1e-3)), rows),
        layer("layer_norm_plain", lambda: nn.LayerNorm(12, elementwise_affine=False), rows),
        layer("group_norm", lambda: settled(nn.GroupNorm(3, 6)), picture, other=(floats(3, 6, 4, 4),)),
        layer("instance_norm", lambda: settled(nn.InstanceNorm2d(6, affine=True)), picture),
        layer("instance_norm_plain", lambda: nn.InstanceNorm1d(9), rows),
        layer("rms_norm", lambda: settled(nn.RMSNorm(12)), rows),
        layer("local_response_norm", lambda: nn.LocalResponseNorm(3, alpha=0.1, k=2.0), picture),
        function("normalize", lambda x: F.normalize(x, p=2.0, dim=1), picture),
        layer("weight_norm", lambda: nn.utils.parametrizations.weight_norm(nn.Linear(12, 5)), rows),
    ]


def pooling() -> list[Form]:
    picture, line, volume = floats(2, 3, 11, 14), floats(2, 3, 15), floats(1, 2, 6, 8, 7)
    return [
        layer("max_pool1d", lambda: nn.MaxPool1d(3, stride=2, padding=1), line),
        layer("max_pool2d", lambda: nn.MaxPool2d(3, stride=2, ceil_mode=True), picture, other=(floats(1, 3, 8, 9),)),
        layer("max_pool2d_dilated", lambda: nn.MaxPool2d(2, stride=1, dilation=3), picture),
        layer("max_pool2d_indices", lambda: nn.MaxPool2d(2, return_indices=True), picture),
        layer("max_pool3d", lambda: nn.MaxPool3d((1, 2, 3), padding=(0, 1, 1)), volume),
        layer("avg_pool1d", lambda: nn.AvgPool1d(4, stride=3, padding=2), line),
        layer("avg_pool2d", lambda: nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), picture),
        layer("avg_pool2d_ceil", lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), picture),
        layer("avg_pool3d", lambda: nn.AvgPool3d(2), volume),
        layer("lp_pool2d", lambda: nn.LPPool2d(2, 3, stride=2), picture.abs()),
        layer("adaptive_avg_pool2d", lambda: nn.AdaptiveAvgPool2d(1), picture, other=(floats(3, 3, 6, 5),)),
        layer("adaptive_avg_pool2d_divides", lambda: nn.AdaptiveAvgPool2d((3, 4)), floats(2, 3, 9, 8)),
        layer("adaptive_avg_pool2d_uneven", lambda: nn.AdaptiveAvgPool2d((4, 5)), picture),
        layer("adaptive_max_pool2d", lambda: nn.AdaptiveMaxPool2d((3, 2)), floats(2, 3, 9, 8)),
        layer("adaptive_max_pool1d", lambda: nn.AdaptiveMaxPool1d(1), line),
    ]


def activations() -> list[Form]:
    x = floats(3, 8, 5) * 2
    classes = ["ReLU", "ReLU6", "SiLU", "Mish", "GELU", "ELU", "CELU", "SELU", "LeakyReLU", "Hardswish", "Hardsigmoid",
               "Hardtanh", "Softplus", "Softsign", "Softshrink", "Hardshrink", "Tanhshrink", "LogSigmoid", "Sigmoid",
               "Tanh"]

    def all_of_them() -> nn.Module:
        class Every(nn.Module):
            def __init__(self):
                super().__init__()
                self.each = nn.ModuleList(getattr(nn, name)() for name in classes)

            def forward(self, x):
                return tuple(module(x) for module in self.each)

        return Every()

    return [
        layer("activations", all_of_them, x, other=(floats(4, 8, 5),)),
        layer("gelu_tanh", lambda: nn.GELU(approximate="tanh"), x),
        layer("glu", lambda: nn.GLU(dim=1), x),
        layer("prelu", lambda: nn.PReLU(8), x),
        layer("rrelu", lambda: nn.RReLU(), x),
        layer("threshold", lambda: nn.Threshold(0.3, -1.0), x),
        layer("softmax", lambda: nn.Softmax(dim=1), x),
        layer("softmin", lambda: nn.Softmin(dim=-1), x),
        layer("softmax2d", lambda: nn.Softmax2d(), floats(2, 3, 4, 5)),
        layer("log_softmax", lambda: nn.LogSoftmax(dim=0), x),
    ]


def resizing() -> list[Form]:
    picture = floats(1, 3, 9, 7)

    def to(mode: str, corners: bool | None = None, **size):
        return lambda x: F.interpolate(x, mode=mode, align_corners=corners, **size)

    return [
        function("nearest", to("nearest", scale_factor=2.0), picture, other=(floats(2, 3, 5, 6),)),
        function("nearest_size", to("nearest", size=(13, 5)), picture),
        function("nearest_exact", to("nearest-exact", size=(13, 5)), picture),
        function("linear", to("linear", False, scale_factor=1.5), floats(2, 3, 10)),
        function("bilinear", to("bilinear", False, size=(18, 12)), picture),
        function("bilinear_corners", to("bilinear", True, size=(17, 4)), picture),
        function("bilinear_scale", to("bilinear", False, scale_factor=2.0), picture, other=(floats(2, 3, 5, 6),)),
        function("bilinear_antialias", to("bilinear", False, size=(4, 3), antialias=True), picture),
        function("bicubic", to("bicubic", False, size=(18, 12)), picture),
        function("bicubic_corners", to("bicubic", True, size=(5, 12)), picture),
        function("trilinear", to("trilinear", False, size=(5, 6, 7)), floats(1, 2, 3, 4, 5)),
        function("trilinear_corners", to("trilinear", True, size=(5, 6, 7)), floats(1, 2, 3, 4, 5)),
        function("area", to("area", size=(3, 7)), picture),
        layer("pixel_shuffle", lambda: nn.PixelShuffle(2), floats(2, 8, 3, 5)),
        layer("pixel_unshuffle", lambda: nn.PixelUnshuffle(3), floats(2, 2, 6, 9)),
        layer("channel_shuffle", lambda: nn.ChannelShuffle(2), floats(2, 6, 3, 5)),
        layer("reflection_pad", lambda: nn.ReflectionPad2d((1, 2, 3, 0)), picture),
        layer("replication_pad", lambda: nn.ReplicationPad3d(1), floats(1, 2, 3, 4, 5)),
        layer("circular_pad", lambda: nn.CircularPad2d((2, 1, 0, 3)), picture),
        layer("constant_pad", lambda: nn.ConstantPad1d((2, 3), 1.5), floats(2, 4, 5)),
        function("negative_pad", lambda x: F.pad(x, (-1, 2, 1, -2)), picture),
    ]


def forms() -> list[Form]:
    return convolutions() + normalisations() + pooling() + activations() + resizing()
