"""Indexing, scattering, shapes, reductions, products, signals."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from modules.form import Form, booleans, floats, function, integers


def indexing() -> list[Form]:
    x, rows = floats(5, 6, 4), integers(5, 3)
    index = integers(6, 5, 3, 4)

    def put(x, i, value):
        y = x.clone()
        y[i] = value
        return y

    def put_pair(x, i, j, value):
        return x.index_put((i, j), value)

    def put_slice(x, value):
        y = x.clone()
        y[1:4, ::2] = value
        return y

    return [
        function("gather", lambda x, i: x.gather(1, i), x, index),
        function("scatter", lambda x, i, s: x.scatter(1, i, s), x, floats(5, 6, 4).argsort(1)[:, :3],
                 floats(5, 3, 4)),
        function("scatter_value", lambda x, i: x.scatter(1, i, 2.5), x, index),
        function("scatter_add", lambda x, i, s: x.scatter_add(1, i, s), x, index, floats(5, 3, 4)),
        function("scatter_reduce", lambda x, i, s: x.scatter_reduce(1, i, s, "amax"), x, index, floats(5, 3, 4)),
        function("index_select", lambda x, i: x.index_select(0, i), x, rows, other=(floats(7, 6, 4), integers(7, 4))),
        function("index_add", lambda x, i, s: x.index_add(0, i, s), x, rows, floats(3, 6, 4)),
        function("index_put", put, x, torch.tensor([4, 0, 2]), floats(3, 6, 4)),
        function("index_put_pair", put_pair, x, torch.tensor([4, 0]), torch.tensor([1, 1]), floats(2, 4)),
        function("index_put_accumulate", lambda x, i, v: x.index_put((i,), v, accumulate=True), x, rows,
                 floats(3, 6, 4)),
        function("slice_assignment", put_slice, x, floats(3, 3, 4)),
        function("advanced_index", lambda x, i: x[i], x, rows),
        function("advanced_index_pair", lambda x, i, j: x[i, :, j], x, integers(5, 2, 3), integers(4, 2, 3)),
        function("advanced_index_between", lambda x, i, j: x[:, i, j], x, integers(6, 3), integers(4, 3)),
        function("boolean_index", lambda x: x[x > 0], x, other=(floats(7, 6, 4),)),
        function("boolean_rows", lambda x, mask: x[mask], x, booleans(5)),
        function("negative_index", lambda x: x[-1, ..., -2], x),
        function("strided_slice", lambda x: x[1::2, :-1, 1:], x, other=(floats(8, 6, 4),)),
        function("masked_fill", lambda x, mask: x.masked_fill(mask, -2.0), x, booleans(5, 6, 4)),
        function("masked_select", torch.masked_select, x, booleans(5, 6, 4)),
        function("masked_scatter", lambda x, mask, s: x.masked_scatter(mask, s), x, booleans(5, 6, 4), floats(120)),
        function("nonzero", lambda x: torch.nonzero(x > 0.5), x),
        function("where", lambda c, x: torch.where(c, x, x.mean()), booleans(5, 6, 1), x),
        function("where_one", lambda x: torch.where(x > 0)[0], x),
        function("take_along_dim", lambda x, i: torch.take_along_dim(x, i, 2), x, integers(4, 5, 6, 2)),
        function("take", torch.take, x, integers(120, 4, 2)),
        function("one_hot", lambda i: F.one_hot(i, 7), integers(7, 4, 3)),
        function("tril_triu", lambda x: (x.tril(1), x.triu(-1)), floats(2, 5, 6)),
        function("diagonal", lambda x: torch.diagonal(x, 1, 1, 2), x),
        function("unique", lambda i: torch.unique(i, return_inverse=True), integers(9, 20)),
        function("bucketize", torch.bucketize, x, torch.tensor([-1.0, 0.0, 0.5, 2.0])),
    ]


def shapes() -> list[Form]:
    x, batch = floats(2, 6, 8), (floats(3, 6, 8),)
    return [
        function("view_permute", lambda x: x.view(x.shape[0], 2, 3, -1).permute(0, 2, 1, 3).reshape(x.shape[0], -1), x,
                 other=batch),
        function("flatten_unflatten", lambda x: x.flatten(1).unflatten(1, (4, 12)), x, other=batch),
        function("split_chunk", lambda x: (*x.split([1, 2, 3], 1), *x.chunk(3, 2)), x, other=batch),
        function("stack_cat", lambda x: torch.cat([torch.stack([x, 2 * x], 1).flatten(0, 1), x]), x, other=batch),
        function("expand_repeat", lambda x: (x[:, :1].expand(-1, 4, -1), x.repeat(2, 1, 3)), x, other=batch),
        function("repeat_interleave", lambda x: x.repeat_interleave(3, 1), x),
        function("roll_flip", lambda x: (x.roll((1, -2), (1, 2)), x.flip(0, 2)), x),
        function("rot90", lambda x: x.rot90(1, (1, 2)), x),
        function("movedim", lambda x: (x.movedim(0, -1), x.swapaxes(1, 2), x.unbind(0)[0]), x),
        function("squeeze", lambda x: x[:, :1].squeeze(1).unsqueeze(-1), x, other=batch),
        function("arange_of_size", lambda x: torch.arange(x.shape[1]) + torch.full((x.shape[0], 1), 3), x,
                 other=(floats(3, 5, 8),)),
        function("zeros_like", lambda x: (torch.zeros_like(x) + 1, torch.ones(x.shape[0], 2), torch.eye(4)), x,
                 other=batch),
        function("linspace", lambda x: torch.linspace(-1, 1, 7) * x.sum(), x),
        function("meshgrid", lambda a, b: torch.meshgrid(a, b, indexing="ij"), floats(4), floats(5)),
        function("cartesian", lambda a, b: torch.cdist(a, b), floats(4, 3), floats(5, 3)),
        function("unfold", lambda x: F.unfold(x, (2, 3), dilation=2, padding=1, stride=2), floats(2, 3, 9, 8)),
        function("fold", lambda x: F.fold(x, (6, 7), (2, 3), stride=(2, 1)), floats(2, 18, 15), opset=18),
        function("tensor_unfold", lambda x: x.unfold(2, 4, 2), x),
    ]


def reductions() -> list[Form]:
    x = floats(3, 5, 7)
    return [
        function("sums", lambda x: (x.sum(), x.mean((0, 2)), x.prod(1), x.norm(dim=2), x.abs().sum(1, keepdim=True)), x,
                 other=(floats(4, 5, 7),)),
        function("variances", lambda x: (x.var(1), x.std((0, 1), unbiased=False), *torch.var_mean(x, 2)), x),
        function("extremes", lambda x: (x.amax(1), x.amin((0, 2)), *x.max(2), *x.min(0), x.argmax(1), x.argmin()), x),
        function("logsumexp", lambda x: x.logsumexp((1, 2)), x),
        function("cumulative", lambda x: (x.cumsum(1), x.cumsum(-1).exp().clamp(max=5)), x),
        function("cumprod", lambda x: x.cumprod(1), x),
        function("topk", lambda x: x.topk(3, dim=1), x),
        function("topk_smallest", lambda x: torch.topk(x, 2, dim=2, largest=False), x),
        function("sort", lambda x: torch.sort(x, dim=1, descending=True), x),
        function("argsort", lambda x: x.argsort(2), x),
        function("median", lambda x: x.median(dim=1).values, x),
        function("any_all", lambda x: ((x > 1).any(1), (x > -1).all(2), (x > 0).sum(0)), x),
        function("count_compare", lambda x: (x.eq(0).logical_not() & x.gt(0) | x.lt(-1)).int(), x),
    ]


def arithmetic() -> list[Form]:
    x, y, i, j = floats(4, 5), floats(4, 5), integers(9, 4, 5), integers(5, 4, 5) + 1
    return [
        function("einsum_matrix", lambda a, b: torch.einsum("bij,bjk->bik", a, b), floats(2, 3, 4), floats(2, 4, 5)),
        function("einsum_heads", lambda a, b: torch.einsum("bihd,bjhd->bhij", a, b), floats(2, 3, 4, 5),
                 floats(2, 6, 4, 5)),
        function("einsum_outer", lambda a, b: torch.einsum("i,j->ij", a, b), floats(3), floats(4)),
        function("einsum_bilinear", lambda a, w, b: torch.einsum("bi,oij,bj->bo", a, w, b), floats(2, 3),
                 floats(5, 3, 4), floats(2, 4)),
        function("matmuls", lambda a, b, v: (a @ b, a @ v, v @ b, torch.bmm(a, b), torch.addmm(v, a[0], b[0])),
                 floats(2, 5, 5), floats(2, 5, 5), floats(5)),
        function("baddbmm", lambda c, a, b: torch.baddbmm(c, a, b, beta=0.5, alpha=2.0), floats(2, 3, 5),
                 floats(2, 3, 4), floats(2, 4, 5)),
        function("integer_division", lambda a, b: (a // b, a % b, torch.div(-a, b, rounding_mode="trunc"),
                                                   torch.fmod(-a, b), torch.remainder(-a, b)), i, j),
        function("float_division", lambda a, b: (a / b, torch.div(a, b, rounding_mode="floor"), a.remainder(b),
                                                 a.fmod(b)), x, y + 3),
        function("bits", lambda a, b: (a & b, a | b, a ^ b, ~a, a << 2, a >> 1), i, j, opset=18),
        function("powers", lambda a: (a ** 2, a.abs() ** 0.5, 2.0 ** a, a.abs().rsqrt(), a.abs().log1p(),
                                      a.abs().log2(), a.abs().log10()), x),
        function("expm1", torch.expm1, x),
        function("trigonometry", lambda a: (a.sin(), a.tanh().acos(), a.atan(), torch.atan2(a, a + 1), a.cos()), x),
        function("hyperbolics", lambda a: (a.sinh(), a.cosh(), a.asinh(), a.tanh().atanh()), x),
        function("rounding", lambda a: (a.round(), a.floor(), a.sign(), a.ceil()), x * 3),
        function("truncations", lambda a: (a.trunc(), a.frac()), x * 3),
        function("clamps", lambda a, b: (a.clamp(-1, 1), a.clamp_min(0.2), torch.clamp(a, b - 1, b + 1),
                                         torch.maximum(a, b), torch.lerp(a, b, 0.3), torch.addcmul(a, a, b)), x, y),
        function("hypot", torch.hypot, x, y),
        function("casts", lambda a: (a.int(), a.double() * 2, a.half().float(), a.bool(), a.long().float()), x * 5),
        function("not_finite", lambda a: (torch.isnan(a), torch.isinf(a), torch.isfinite(a), torch.nan_to_num(a)),
                 torch.tensor([1.0, float("nan"), float("inf"), -float("inf")])),
        function("erf_family", lambda a: (a.erf(), torch.special.expit(a), torch.logit(a.sigmoid())), x),
        function("erfc", torch.erfc, x),
        function("losses", lambda a, b, t: (F.mse_loss(a, b), F.cross_entropy(a, t), F.cosine_similarity(a, b),
                                            F.kl_div(a.log_softmax(1), b.softmax(1), reduction="sum")),
                 x, y, integers(5, 4)),
        function("absolute_losses", lambda a, b: (F.l1_loss(a, b, reduction="none"), F.huber_loss(a, b),
                                                  F.smooth_l1_loss(a, b)), x, y),
        function("nll_loss", lambda a, t: F.nll_loss(a.log_softmax(1), t), floats(2, 5, 3, 4), integers(5, 2, 3, 4)),
    ]


def signals() -> list[Form]:
    window = torch.hann_window(16)
    return [
        function("stft", lambda x: torch.view_as_real(torch.stft(x, 16, 4, window=window, return_complex=True)),
                 floats(2, 64)),
        function("spectrogram", lambda x: torch.stft(x, 16, 8, window=window, center=False, return_complex=True).abs(),
                 floats(2, 64)),
        function("rfft", lambda x: torch.view_as_real(torch.fft.rfft(x)), floats(3, 20)),
        function("fft_round", lambda x: torch.fft.irfft(torch.fft.rfft(x, dim=1), n=x.shape[1], dim=1), floats(3, 20)),
        function("fft2", lambda x: torch.view_as_real(torch.fft.fft2(x)), floats(2, 6, 8)),
    ]


def forms() -> list[Form]:
    return indexing() + shapes() + reductions() + arithmetic() + signals()
