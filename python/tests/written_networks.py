"""Networks in the many ways in which people write them, for the tests."""

import torch
from networks import batch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

IMAGES, LABELS = batch(8, side=16)
SEQUENCES = torch.randn(8, 16, 5, generator=torch.Generator().manual_seed(2))
WORDS = torch.randint(0, 50, (8, 16), generator=torch.Generator().manual_seed(3))


class Block(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.two(functional.relu(self.one(x)))


class Blocks(nn.Module):
    """A stem, blocks of a kind, a classifier; `run` says how they are run."""

    def __init__(self, run, blocks=3, block=Block):
        super().__init__()
        self.run = run
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.ModuleList([block() for _ in range(blocks)])
        self.fc = nn.Linear(8, 10)

    def forward(self, x, mask=None, *, scale=1.0, **others):
        return self.run(self, x)


def one_after_another(net, x):
    x = net.stem(x)
    for block in net.blocks:
        x = functional.relu(block(x))
    return net.fc(x.mean((2, 3)))


def batch_size_crosses(net, x):
    count = x.shape[0]
    x = net.stem(x)
    for block in net.blocks:
        x = block(x)
    return net.fc(x.reshape(count, 8, -1).mean(2))


def sizes_cross(net, x):
    count, _, height, width = x.size()
    x = net.stem(x)
    for block in net.blocks:
        x = block(x)
    return net.fc(x.reshape(count, 8, height * width).mean(2))


def shape_crosses(net, x):
    shape = x.shape
    x = net.stem(x)
    for block in net.blocks:
        x = block(x)
    return net.fc(x.view(shape[0], 8, shape[2], shape[3]).mean((2, 3)))


def asserts(net, x):
    assert x.dim() == 4 and x.shape[1] == 3, f"not {x.shape}"
    if x.size(-1) > 8:
        x = functional.max_pool2d(x, 2)
    return one_after_another(net, x)


def indexed(net, x):
    x = net.stem(x)
    for i in range(len(net.blocks)):
        x = net.blocks[i](functional.max_pool2d(x, 2) if i == 1 else x)
    return net.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


def skip_across(net, x):
    first = net.stem(x)
    x = net.blocks[1](net.blocks[0](first)) + first
    return net.fc(net.blocks[2](x).mean((2, 3)))


def stacked(net, x):
    values = [net.stem(x)]
    for block in net.blocks:
        values.append(block(sum(values)))
    return net.fc(torch.stack(values).mean(0).mean((2, 3)))


def in_a_dict(net, x):
    values = {"x": net.stem(x), "count": 0}
    for block in net.blocks:
        values = {"x": block(values["x"]), "count": values["count"] + 1}
    return net.fc(values["x"].mean((2, 3)))


def checkpointed(net, x):
    x = net.stem(x)
    for block in net.blocks:
        x = checkpoint(block, x, use_reentrant=False) if net.training else block(x)
    return net.fc(x.mean((2, 3)))


def with_parametrization(old):
    model = Blocks(one_after_another)
    for block in model.blocks:
        if old:
            nn.utils.spectral_norm(nn.utils.weight_norm(block.one, name="bias"))
        else:
            nn.utils.parametrizations.spectral_norm(block.one)
            nn.utils.parametrizations.orthogonal(block.two)
    return model


class Mean(nn.Module):
    """Subtracts a mean that follows the batches."""

    def __init__(self, assigns):
        super().__init__()
        self.assigns = assigns
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        x = self.conv(x)
        if self.training:
            now = x.detach().mean((0, 2, 3))
            if self.assigns:
                self.mean = 0.9 * self.mean + 0.1 * now
                self.count = self.count + 1
            else:
                self.mean.mul_(0.9).add_(now, alpha=0.1)
                self.count.add_(1)
        return x - self.mean[:, None, None]


class Last(nn.Module):
    def __init__(self, kind, width):
        super().__init__()
        self.cell = kind(width, 8, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0]


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.LSTM(5, 8, batch_first=True)
        self.two = nn.GRU(8, 8, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x, (hidden, _) = self.one(x)
        x, _ = self.two(x + hidden[-1][:, None])
        return self.fc(x[:, -1])


class Attention(nn.Module):
    """Attention with tuples for outputs, outside of blocks."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(5, 16)
        self.one = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.two = nn.MultiheadAttention(16, 2, batch_first=True)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.embed(x)
        y, _ = self.one(x, x, x)
        x = self.norm(x + y)
        y, weights = self.two(x, x, x, need_weights=False)
        return self.fc((x + y).mean(1))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.position = nn.Parameter(torch.zeros(16, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3)
        self.fc = nn.Linear(16, 10)

    def forward(self, words):
        assert not words.is_floating_point()
        return self.fc(self.encoder(self.embed(words) + self.position).mean(1))


class Patches(nn.Module):
    """A vision transformer with a class token and others."""

    def __init__(self, others=0):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 4, 4)
        self.tokens = nn.Parameter(torch.zeros(1, 1 + others, 16))
        layers = [nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True) for _ in range(3)]
        self.layers = nn.ModuleList(layers)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        batch_size = x.shape[0]
        x = self.conv(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.tokens.expand(batch_size, -1, -1), x], 1)
        for layer in self.layers:
            x = layer(x)
        return self.fc(x[:, 0])


def lazy():
    model = nn.Sequential(
        nn.LazyConv2d(8, 3),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.LazyConv2d(8, 3),
        nn.Flatten(),
        nn.LazyLinear(10),
    )
    return model


def plain_units(*layers, width=8):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def of_maps(layer):
    return plain_units(nn.Conv2d(3, 8, 3, padding=1), layer(), nn.ReLU(), layer())


def of_sequences():
    layers = []
    for channels in (16, 8, 8):
        layers += [nn.Conv1d(channels, 8, 3, padding=1), nn.BatchNorm1d(8), nn.PReLU(8)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 10))


def normalised():
    layers = []
    for norm in (nn.GroupNorm(4, 8), nn.InstanceNorm2d(8, affine=True), nn.GroupNorm(2, 8)):
        layers += [nn.Conv2d(8 if layers else 3, 8, 3, padding=1), norm, nn.GELU()]
    return plain_units(*layers)


def shared_activation():
    relu, pool = nn.ReLU(inplace=True), nn.MaxPool2d(2)
    layers = []
    for _ in range(3):
        layers += [nn.Conv2d(8 if layers else 3, 8, 3, padding=1), relu, pool]
    return plain_units(*layers)


NETWORKS = {
    "loop": (lambda: Blocks(one_after_another), IMAGES, 4),
    "batch size": (lambda: Blocks(batch_size_crosses), IMAGES, 4),
    "sizes": (lambda: Blocks(sizes_cross), IMAGES, 4),
    "shape": (lambda: Blocks(shape_crosses), IMAGES, 4),
    "assertions": (lambda: Blocks(asserts), IMAGES, 4),
    "indices": (lambda: Blocks(indexed), IMAGES, 4),
    "skip across blocks": (lambda: Blocks(skip_across), IMAGES, 3),
    "all outputs": (lambda: Blocks(stacked), IMAGES, 2),
    "dict": (lambda: Blocks(in_a_dict), IMAGES, 4),
    "checkpoint": (lambda: Blocks(checkpointed), IMAGES, 4),
    "norms of weights": (lambda: with_parametrization(True), IMAGES, 4),
    "parametrizations": (lambda: with_parametrization(False), IMAGES, 4),
    "buffers": (lambda: of_maps(lambda: Mean(False)), IMAGES, 3),
    "replaced buffers": (lambda: of_maps(lambda: Mean(True)), IMAGES, 3),
    "recurrent units": (
        lambda: nn.Sequential(
            Last(nn.LSTM, 5), Last(nn.GRU, 8), Last(nn.RNN, 8), nn.Flatten(), nn.Linear(128, 10)
        ),
        SEQUENCES,
        3,
    ),
    "recurrent": (Recurrent, SEQUENCES, 2),
    "attention": (Attention, SEQUENCES, 3),
    "words": (Text, WORDS, 5),
    "patches": (Patches, IMAGES, 5),
    "lazy": (lazy, IMAGES, 2),
    "sequences": (of_sequences, SEQUENCES, 3),
    "normalisations": (normalised, IMAGES, 3),
    "shared activation": (shared_activation, IMAGES, 3),
}
