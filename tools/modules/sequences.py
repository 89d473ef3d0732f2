"""Recurrent layers, attentions, embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.form import Form, booleans, floats, function, integers, layer


class SelfAttention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, **options)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.attention(x, x, x, attn_mask=mask)


class PaddedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        return self.attention(x, memory, memory, key_padding_mask=padding, need_weights=False)[0]


class PackedLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(6, 5, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0], batch_first=True)[0]


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(6, 5), nn.GRUCell(5, 4), nn.RNNCell(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(self.gru(self.lstm(x)[0]))


def recurrent() -> list[Form]:
    x, batch = floats(7, 2, 6), (floats(7, 3, 6),)
    return [
        layer("lstm", lambda: nn.LSTM(6, 5), x, other=batch),
        layer("lstm_lengths", lambda: nn.LSTM(6, 5), x, other=(floats(5, 3, 6),)),
        layer("lstm_layers", lambda: nn.LSTM(6, 5, num_layers=2, bidirectional=True), x, other=batch),
        layer("lstm_batch_first", lambda: nn.LSTM(6, 5, batch_first=True), x),
        layer("lstm_projection", lambda: nn.LSTM(6, 5, proj_size=3), x),
        layer("lstm_without_bias", lambda: nn.LSTM(6, 5, bias=False), x),
        layer("gru", lambda: nn.GRU(6, 5), x, other=batch),
        layer("gru_layers", lambda: nn.GRU(6, 5, num_layers=2, bidirectional=True, batch_first=True), x),
        layer("rnn_tanh", lambda: nn.RNN(6, 5, bidirectional=True), x),
        layer("rnn_relu", lambda: nn.RNN(6, 5, nonlinearity="relu", num_layers=2), x),
        layer("lstm_packed", PackedLSTM, floats(3, 7, 6), torch.tensor([7, 4, 2])),
        layer("cells", Cells, floats(3, 6)),
        layer("lstm_state", StateLSTM, x, floats(1, 2, 5), floats(1, 2, 5)),
    ]


class StateLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(6, 5)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor):
        return self.layer(x, (hidden, cell))


def attentions() -> list[Form]:
    x, q, k = floats(2, 7, 16), floats(2, 4, 7, 8), floats(2, 4, 9, 8)
    attend = F.scaled_dot_product_attention
    return [
        layer("attention", lambda: SelfAttention(batch_first=True), x, other=(floats(3, 7, 16),)),
        layer("attention_lengths", lambda: SelfAttention(batch_first=True), x, other=(floats(3, 5, 16),)),
        layer("attention_sequence_first", SelfAttention, x),
        layer("attention_bias_kv", lambda: SelfAttention(add_bias_kv=True, add_zero_attn=True, batch_first=True), x),
        layer("attention_mask", lambda: SelfAttention(batch_first=True), x, torch.ones(7, 7).triu(1).bool()),
        layer("attention_padding", PaddedAttention, x, floats(2, 5, 16), torch.arange(5) >= torch.tensor([[5], [3]])),
        function("dot_product", lambda q, k, v: attend(q, k, v), q, k, k + 1,
                 other=(floats(3, 4, 5, 8),) + (floats(3, 4, 6, 8),) * 2),
        function("dot_product_mask", lambda q, k, mask: attend(q, k, k, attn_mask=mask), q, k, floats(7, 9)),
        function("dot_product_boolean", lambda q, k, mask: attend(q, k, k, attn_mask=mask), q, k,
                 booleans(7, 9) | torch.eye(7, 9).bool()),
        function("dot_product_causal", lambda q: attend(q, q, q, is_causal=True), q),
        function("dot_product_scale", lambda q, k: attend(q, k, k, scale=0.2), q, k),
        function("dot_product_grouped", lambda q, k: attend(q, k, k, enable_gqa=True), q, floats(2, 2, 9, 8)),
        layer("encoder_layer", lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), x),
        layer("encoder_layer_first",
              lambda: nn.TransformerEncoderLayer(16, 4, 32, activation="gelu", norm_first=True), x),
        layer("encoder", lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2), x),
        layer("decoder_layer", lambda: nn.TransformerDecoderLayer(16, 4, 32, batch_first=True), x, floats(2, 5, 16)),
        layer("transformer", lambda: nn.Transformer(16, 4, 1, 1, 32, batch_first=True), x, floats(2, 5, 16)),
    ]


def embeddings() -> list[Form]:
    words = integers(11, 3, 6)
    return [
        layer("embedding", lambda: nn.Embedding(11, 5, padding_idx=0), words, other=(integers(11, 2, 4),)),
        layer("embedding_bag", lambda: nn.EmbeddingBag(11, 5, mode="mean"), words),
        layer("embedding_bag_sum", lambda: nn.EmbeddingBag(11, 5, mode="sum"), integers(11, 9),
              torch.tensor([0, 4, 5])),
        layer("bilinear_layer", lambda: Pair(nn.Bilinear(4, 5, 3)), floats(2, 4), floats(2, 5)),
        layer("linear", lambda: nn.Linear(6, 4), floats(2, 3, 6), other=(floats(5, 4, 6),)),
    ]


class Pair(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.inner(a, b)


def forms() -> list[Form]:
    return recurrent() + attentions() + embeddings()
