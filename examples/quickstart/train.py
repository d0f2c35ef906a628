"""
Trains a small GPT for TIME_BUDGET seconds and prints its val_bpb (validation bits per byte, lower is better).

    python prepare.py && python train.py

One device: a CUDA GPU, else Apple's, else the CPU. Experiments change this file; prepare.py stays as it is.
Read it from top to bottom: constants, model, optimizer, loop, summary.
"""

import gc
import hashlib
import importlib
import json
import math
import os
import platform
import re
import resource
import statistics
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")  # fewer gaps in GPU memory

import torch
import torch.nn as nn
import torch.nn.functional as F

from prepare import (
    DEVICE,
    MAX_SEQ_LEN,
    METRIC_VERSION,
    SIZE,
    TIME_BUDGET,
    Tokenizer,
    evaluate_bpb,
    make_dataloader,
)

# ---- Constants ---------------------------------------------------------------------------------------------
# SIZE is "cpu", "laptop", "small-gpu" or "hopper" (prepare.py chooses it by the device). Where a value
# depends on it, [SIZE] picks it; a plain value put in its place holds for every size.

# Model. The width is DEPTH * ASPECT_RATIO, rounded up to whole heads. "hopper" follows the best published run
# of karpathy/autoresearch (its pull request 44).
DEPTH = {"cpu": 2, "laptop": 4, "small-gpu": 6, "hopper": 9}[SIZE]  # transformer layers
ASPECT_RATIO = {"cpu": 32, "laptop": 64, "small-gpu": 64, "hopper": 56}[SIZE]  # width per layer
HEAD_DIM = {"cpu": 32, "laptop": 64, "small-gpu": 128, "hopper": 128}[SIZE]  # width of one attention head
MLP_RATIO = 4  # hidden width of the MLP, in model widths
WINDOW_PATTERN = {"cpu": "L", "laptop": "L"}.get(SIZE, "SSSSL")  # per layer, repeated; the last is always L
SHORT_WINDOW = 1 / 8  # tokens that S sees, itself among them, in fractions of the context; L sees all of it
VALUE_EMBED_EVERY = 2  # one layer of so many, the last too, adds an embedding of the token to values; 0: none
GATE_CHANNELS = 32  # channels of the input that open and close the value embeddings
GATE_RANGE = 2.0  # value embeddings are scaled by 0 to this; at first by half of it
ROPE_BASE = 200_000  # wavelength of the slowest rotation, in tokens / 2π
QK_SCALE = 1.0  # length of queries and keys, in sqrt(HEAD_DIM): above 1, attention starts sharper
SOFTCAP = {"cpu": 0}.get(SIZE, 15.0)  # logits are squashed into ±SOFTCAP; 0: not (eager, it costs a tenth)
NORM_EPS = 1e-6  # added to the mean square in every norm
INIT_SCALE = 0.68  # of the layers' first matrices; 1: variance 1 / width
EMBED_INIT = 1.0  # standard deviation of the token embedding at first
HEAD_INIT = 0.001  # the same of the output head: it starts near uniform
VALUE_EMBED_INIT = 1.0  # of the value embeddings at first; 1: variance 1 / width
RESID_INIT = 1.0  # weight of the residual stream in each layer at first
X0_INIT = 0.05  # weight of the embedded input, x0, that each layer adds to the residual stream at first

# Batches
TOTAL_BATCH_SIZE = {"cpu": 2**10, "laptop": 2**13, "small-gpu": 2**16, "hopper": 2**18}[SIZE]  # tokens a step
DEVICE_BATCH_SIZE = {"cpu": 4, "hopper": 128}.get(SIZE, 16)  # rows of MAX_SEQ_LEN tokens a pass

# Learning rates
EMBEDDING_LR = 0.9  # token and value embeddings (AdamW)
UNEMBEDDING_LR = {"cpu": 0.015}.get(SIZE, 0.005)  # output head (AdamW)
MATRIX_LR = {"cpu": 0.06}.get(SIZE, 0.04)  # matrices of the layers (Muon)
SCALAR_LR = 0.5  # per-layer weights of x0 (AdamW)
RESID_LR_FRAC = 0.01  # per-layer weights of the residual stream, as a fraction of SCALAR_LR
ADAM_LR_WIDTH = 768  # width that the rates of embeddings and head are meant for: they go by 1/sqrt(width)

# Optimizers
ADAM_BETAS = (0.8, 0.95)  # decay of AdamW's mean and mean square, per step
X0_BETAS = (0.96, 0.95)  # the same for the x0 weights
ADAM_EPS = 1e-10  # added to AdamW's root mean square
EMBEDDING_DECAY = 0.001  # weight decay of the token embedding, per unit of learning rate
VALUE_EMBED_DECAY = 0.003  # the same of the value embeddings
UNEMBEDDING_DECAY = 0.01  # the same of the output head
WEIGHT_DECAY = 0.2  # the same of the matrices, only where the update shrinks a weight; falls linearly to 0
MUON_MOMENTUM_START = 0.85  # Nesterov momentum at step 0
MUON_MOMENTUM = 0.95  # Nesterov momentum from step MUON_MOMENTUM_STEPS on
MUON_MOMENTUM_STEPS = 200  # steps
MUON_BETA2 = 0.95  # decay of the mean square per row or column that evens updates out (NorMuon), per step
MUON_EPS = 1e-10  # added to that mean square
NS_STEPS = 5  # iterations (Polar Express) that make an update orthogonal, at most 8
NS_MARGIN = 1.01  # divides at each iteration, so that rounding does not push singular values past 1

# Schedule, in fractions of TIME_BUDGET
WARMUP_RATIO = 0.0  # learning rates rise from 0
WARMDOWN_RATIO = 0.75  # learning rates fall to FINAL_LR_FRAC
FINAL_LR_FRAC = 0.05  # learning rate at the end, as a fraction of the full one

# Run
SEED = int(os.environ.get("SEED", 42))  # of the weights and of the order of the data
PRECISION = "bfloat16" if DEVICE == "cuda" else "float32"  # of the products; weights are always float32
COMPILE = DEVICE == "cuda"  # torch.compile for model and optimizer; on a CPU it takes longer than it saves
ATTENTION = "auto"  # "fa3", "flex", "sdpa"; auto: the first of them that this machine can do
FA3_SOURCES = ("flash_attn_interface", "kernels-community/flash-attn3@1")  # a module, a hub kernel @ version
FA3_TOLERANCE = 0.02  # relative error against SDPA in float32 beyond which it is not used
UNTIMED_STEPS = 11 if DEVICE == "cuda" else 2  # first steps (compilation, caches): the budget leaves them out
ESTIMATE_AT = (0.25, 0.5, 0.75)  # fractions of the budget at which val_bpb is estimated; () for never
ESTIMATE_TOKENS = {"cpu": 2**13, "laptop": 2**15, "small-gpu": 2**18, "hopper": 2**20}[SIZE]  # of one
LOSS_LIMIT = 100  # nats; beyond it, or with a NaN, the run has failed
LOSS_SMOOTHING = 0.9  # decay of the loss shown while training, per step
CHECKPOINT = os.environ.get("AUTORESEARCH_CHECKPOINT", "")  # file for the trained weights; "": not kept
# Dense bf16 FLOP/s as published, by words of the GPU's name; the first that fit count. Else it is measured.
PEAK_FLOPS = {
    **{"GB200": 2.5e15, "B200": 2.25e15, "B100": 1.75e15, "GH200": 989.5e12, "H200 NVL": 836e12},
    **{"H200": 989.5e12, "H100 PCIe": 756e12, "H100 NVL": 835e12, "H100": 989.5e12, "H800 PCIe": 756e12},
    **{"H800": 989.5e12, "H20": 148e12, "A100": 312e12, "A800": 312e12, "A40": 149.7e12, "A30": 165e12},
    **{"L40S": 362e12, "L40": 181e12, "L4": 121e12, "A10G": 70e12, "A10": 125e12, "MI300X": 1307.4e12},
    **{"RTX 5090": 209.5e12, "RTX 4090": 165.2e12, "RTX 3090": 71e12},
}  # mfu is relative to it
UNLISTED = ("MIG", "Laptop", "D", "Ti")  # words in the name of a GPU that is not what the others say
PEAK_SIZE = {"cpu": 1024}.get(DEVICE, 4096)  # rows of the square matrices whose product measures it
PEAK_TRIES = 4  # the fastest of these products counts

# ---- Attention ---------------------------------------------------------------------------------------------


def on_hopper():
    return DEVICE == "cuda" and torch.cuda.get_device_capability() == (9, 0)


def load_fa3():
    """FlashAttention 3 for Hopper: the first of FA3_SOURCES that passes the check, or None."""
    for source in FA3_SOURCES if on_hopper() and PRECISION == "bfloat16" else ():
        try:
            name, _, version = source.partition("@")
            if version:
                module = importlib.import_module("kernels").get_kernel(name, version=int(version))
            else:
                module = importlib.import_module(name)
            check_fa3(module.flash_attn_func)
            return module.flash_attn_func
        except Exception as error:  # not installed, no network, no build for this torch, wrong
            print(f"No FlashAttention 3 from {source}: {type(error).__name__}: {error}", file=sys.stderr)
    return None


def check_fa3(function):
    """Runs it as training will, forward and back, compiled or not, and compares it with SDPA in float32."""
    window, shape = max(1, round(MAX_SEQ_LEN * SHORT_WINDOW)), (3, 1, MAX_SEQ_LEN, 1, HEAD_DIM)
    generator = torch.Generator(DEVICE).manual_seed(SEED)  # its own: weights must not depend on it
    qkv = torch.randn(shape, generator=generator, device=DEVICE).bfloat16()
    results = []
    for kind, precision in (("fa3", torch.bfloat16), ("sdpa", torch.float32)):
        q, k, v = (t.to(precision).requires_grad_() for t in qkv)
        mask = make_mask(kind, window, MAX_SEQ_LEN, DEVICE)
        run = partial(attend, kind, function, window, mask)
        y = (torch.compile(run, dynamic=False) if COMPILE and kind == "fa3" else run)(q, k, v)
        results.append((y, *torch.autograd.grad(y.float().square().sum(), (q, k, v))))
    for name, ours, reference in zip(("output", "dq", "dk", "dv"), *results, strict=True):
        error = ((ours.float() - reference).norm() / reference.norm()).item()
        if not error <= FA3_TOLERANCE:
            raise ArithmeticError(f"its {name} differs from SDPA's by {error:.3f}")


def choose_attention(windowed):
    """(name, function). SDPA needs no package, but with a window it computes what the mask throws away."""
    assert ATTENTION in ("auto", "fa3", "flex", "sdpa"), f'ATTENTION is not "{ATTENTION}"'
    fa3 = load_fa3() if ATTENTION in ("auto", "fa3") else None
    if ATTENTION == "fa3" and fa3 is None:
        sys.exit('ATTENTION = "fa3", but FlashAttention 3 cannot be loaded here.')
    if fa3 is not None:
        return "fa3", fa3
    if ATTENTION == "flex" or (ATTENTION == "auto" and windowed and COMPILE and DEVICE == "cuda"):
        from torch.nn.attention.flex_attention import flex_attention

        return "flex", flex_attention
    return "sdpa", F.scaled_dot_product_attention


def sees(window):
    """Whether the token at `q` sees the one at `k`: itself and those before it, `window` in all."""
    return lambda b, h, q, k: (q >= k) & (q - k < window)


def make_mask(kind, window, length, device):
    """What `kind` needs to know of a window; None where plain causal attention is the same thing."""
    if kind == "fa3" or window >= length:
        return None
    if kind == "flex":
        from torch.nn.attention.flex_attention import create_block_mask

        return create_block_mask(sees(window), None, None, length, length, device=str(device))
    position = torch.arange(length, device=device)
    return sees(window)(0, 0, position[:, None], position[None, :])


def attend(kind, function, window, mask, q, k, v):
    """Causal attention of (rows, tokens, heads, channels)."""
    scale = QK_SCALE**2 / math.sqrt(q.size(-1))
    if kind == "fa3":
        y = function(q, k, v, softmax_scale=scale, causal=True, window_size=(window - 1, 0))
        return y[0] if isinstance(y, tuple) else y
    if kind == "flex":  # compiled for a CPU (torch 2.13), it reads a slice such as v from the wrong place
        q, k, v = (t.contiguous() for t in (q, k, v))
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    if kind == "flex" and mask is not None:
        y = function(q, k, v, block_mask=mask, scale=scale)
    else:
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)
    return y.transpose(1, 2)


# ---- Model -------------------------------------------------------------------------------------------------


@dataclass
class GPTConfig:
    sequence_len: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    mlp_ratio: float
    window_pattern: str
    short_window: int
    value_embed_every: int


def config_for(vocab_size):
    n_head = math.ceil(DEPTH * ASPECT_RATIO / HEAD_DIM)
    return GPTConfig(
        sequence_len=MAX_SEQ_LEN,
        vocab_size=vocab_size,
        n_layer=DEPTH,
        n_head=n_head,
        n_embd=n_head * HEAD_DIM,
        mlp_ratio=MLP_RATIO,
        window_pattern=WINDOW_PATTERN,
        short_window=max(1, round(MAX_SEQ_LEN * SHORT_WINDOW)),
        value_embed_every=VALUE_EMBED_EVERY,
    )


def norm(x):
    """In x's own type: autocast makes it float32, and so would be the residual stream."""
    return F.rms_norm(x, (x.size(-1),), eps=NORM_EPS).to(x.dtype)


def rotate(x, cos, sin):
    """Turns each pair (i, i + half) of a head's channels by an angle that grows with the position."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, config, has_value_embed):
        super().__init__()
        width, self.n_head = config.n_embd, config.n_head
        self.qkv = nn.Parameter(torch.empty(3, width, width))  # three matrices for Muon, one product
        self.proj = nn.Parameter(torch.empty(width, width))
        self.gate = (
            nn.Parameter(torch.empty(self.n_head, min(GATE_CHANNELS, width))) if has_value_embed else None
        )

    def forward(self, x, value_embed, cos, sin, attention):
        B, T, C = x.shape
        qkv = F.linear(x, self.qkv.flatten(0, 1)).view(B, T, 3, self.n_head, -1)
        q, k = rotate(norm(qkv[:, :, :2]), cos, sin).to(qkv.dtype).unbind(2)
        v = qkv[:, :, 2]
        if value_embed is not None:
            openness = GATE_RANGE * F.linear(x[..., : self.gate.size(1)], self.gate).sigmoid()
            v = v + openness.unsqueeze(-1) * value_embed.view_as(v).to(v.dtype)
        return F.linear(attention(q, k, v).reshape(B, T, C), self.proj)


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = int(config.mlp_ratio * config.n_embd)
        self.up = nn.Parameter(torch.empty(hidden, config.n_embd))
        self.proj = nn.Parameter(torch.empty(config.n_embd, hidden))

    def forward(self, x):
        x = F.relu(F.linear(x, self.up))
        return F.linear(x * x, self.proj)  # not square(): autocast would take it to float32


class Block(nn.Module):
    def __init__(self, config, has_value_embed):
        super().__init__()
        self.attention = Attention(config, has_value_embed)
        self.mlp = MLP(config)

    def forward(self, x, *context):
        x = x + self.attention(norm(x), *context)
        return x + self.mlp(norm(x))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        layers = range(config.n_layer)
        pattern = config.window_pattern
        assert pattern and set(pattern) <= {"L", "S"}, f'WINDOW_PATTERN is made of L and S, not "{pattern}"'
        is_short = [pattern[i % len(pattern)] == "S" and i < config.n_layer - 1 for i in layers]
        self.windows = [config.short_window if short else config.sequence_len for short in is_short]
        self.attention_kind, self.attention_function = choose_attention(any(is_short))
        self.masks = {}

        every = config.value_embed_every
        with_value = list(layers[::-1][::every]) if every else []
        size = (config.vocab_size, config.n_embd)
        self.embed = nn.Embedding(*size)
        self.value_embeds = nn.ModuleDict({str(i): nn.Embedding(*size) for i in sorted(with_value)})
        self.blocks = nn.ModuleList(Block(config, i in with_value) for i in layers)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.resid_weights = nn.Parameter(torch.empty(config.n_layer))
        self.x0_weights = nn.Parameter(torch.empty(config.n_layer))

        half = config.n_embd // config.n_head // 2
        position = torch.arange(config.sequence_len).float()
        angle = torch.outer(position, ROPE_BASE ** (-torch.arange(half) / half))[:, None, None, :]
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for window in set(self.windows):
            self.mask(window, config.sequence_len)  # made now, before anything is compiled
        self.init_weights()

    @torch.no_grad()
    def init_weights(self):
        """Layers start as the identity: the last matrix of each branch is 0, and gates are half open."""
        bound = math.sqrt(3 / self.config.n_embd)  # uniform in ±bound has variance 1 / n_embd
        self.embed.weight.normal_(std=EMBED_INIT)
        self.head.weight.normal_(std=HEAD_INIT)
        self.resid_weights.fill_(RESID_INIT)
        self.x0_weights.fill_(X0_INIT)
        for value_embed in self.value_embeds.values():
            value_embed.weight.uniform_(-1, 1).mul_(bound * VALUE_EMBED_INIT)
        for block in self.blocks:
            for first in (block.attention.qkv, block.mlp.up):
                first.uniform_(-bound * INIT_SCALE, bound * INIT_SCALE)
            for last in (block.attention.proj, block.mlp.proj, block.attention.gate):
                if last is not None:
                    last.zero_()

    def mask(self, window, length):
        if (window, length) not in self.masks:
            kind, device = self.attention_kind, self.cos.device
            self.masks[window, length] = make_mask(kind, window, length, device)
        return self.masks[window, length]

    def forward(self, idx, targets=None, reduction="mean"):
        T = idx.size(1)
        cos, sin = self.cos[:T], self.sin[:T]
        x = self.embed(idx)
        x0 = x = norm(x.to(getattr(torch, PRECISION)))
        for i, block in enumerate(self.blocks):
            window = self.windows[i]
            mask = self.mask(window, T)
            attention = partial(attend, self.attention_kind, self.attention_function, window, mask)
            x = self.resid_weights[i] * x + self.x0_weights[i] * x0
            value_embed = self.value_embeds[str(i)](idx) if str(i) in self.value_embeds else None
            x = block(x, value_embed, cos, sin, attention)
        x = norm(x)
        logits = SOFTCAP * torch.tanh(self.head(x / SOFTCAP).float()) if SOFTCAP else self.head(x).float()
        if targets is None:
            return logits
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), reduction=reduction)

    def parameter_counts(self):
        counts = {
            "wte": self.embed.weight.numel(),
            "value_embeds": sum(p.numel() for p in self.value_embeds.parameters()),
            "lm_head": self.head.weight.numel(),
            "transformer_matrices": sum(p.numel() for p in self.blocks.parameters()),
            "scalars": self.resid_weights.numel() + self.x0_weights.numel(),
        }
        return counts | {"total": sum(counts.values())}

    def flops_per_token(self):
        """Forward and backward: 6 per weight that multiplies, 12 per channel and token in the window."""
        counts = self.parameter_counts()
        attended = sum(min(window, self.config.sequence_len) for window in self.windows)
        return 6 * (counts["lm_head"] + counts["transformer_matrices"]) + 12 * self.config.n_embd * attended


# ---- Optimizer: Muon for the layers' matrices, AdamW for the rest ------------------------------------------

# Polar Express (Amsel et al. 2025): a·s + b·s³ + c·s⁵, each the best step of the singular values s to 1.
POLAR_COEFFS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
    (1.875, -1.25, 0.375),
)


def orthogonalize(G, steps=NS_STEPS):
    """Singular vectors stay, singular values go to about 1. Takes a matrix or a stack of them."""
    X = G.bfloat16() if G.is_cuda else G
    if tall := X.size(-2) > X.size(-1):
        X = X.mT
    X = X / X.norm(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(X.dtype).tiny)
    for a, b, c in POLAR_COEFFS[:steps]:
        X = X / NS_MARGIN
        S = X @ X.mT
        X = a * X + (b * S + c * S @ S) @ X
    return (X.mT if tall else X).to(G.dtype)


def muon_update(weights, grads, mean, square, momentum, lr, decay):
    """
    What to subtract from a stack of matrices (n, rows, columns). Nesterov momentum is made orthogonal, then
    evened out over rows (or columns) by running mean squares with the norm kept, and decay is added where it
    goes the update's way. `mean` and `square` change in place.
    """
    mean.lerp_(grads, 1 - momentum)
    update = orthogonalize(grads.lerp(mean, momentum))
    across = -1 if update.size(-2) >= update.size(-1) else -2
    square.lerp_(update.square().mean(dim=across, keepdim=True), 1 - MUON_BETA2)
    evened = update * (square + MUON_EPS).rsqrt()
    size, new_size = (t.norm(dim=(-2, -1), keepdim=True) for t in (update, evened))
    update = evened * (size / new_size.clamp_min(MUON_EPS))
    shape_scale = max(1, update.size(-2) / update.size(-1)) ** 0.5
    return lr * shape_scale * (update + decay * weights * (update * weights > 0))


def adamw_update(weight, grad, mean, square, step, betas, lr, decay):
    """What to subtract. `mean` and `square` change in place; `step` counts from 1."""
    mean.lerp_(grad, 1 - betas[0])
    square.lerp_(grad.square(), 1 - betas[1])
    mean, square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return lr * (mean / (square.sqrt() + ADAM_EPS) + decay * weight)


class Optimizer:
    """Not a torch.optim.Optimizer, whose first use imports the compiler: a second and more on a CPU."""

    def __init__(self, model):
        scale = (model.config.n_embd / ADAM_LR_WIDTH) ** -0.5
        embeddings, values = model.embed.parameters(), model.value_embeds.parameters()
        self.adam = [
            *((p, EMBEDDING_LR * scale, ADAM_BETAS, EMBEDDING_DECAY) for p in embeddings),
            *((p, EMBEDDING_LR * scale, ADAM_BETAS, VALUE_EMBED_DECAY) for p in values),
            (model.head.weight, UNEMBEDDING_LR * scale, ADAM_BETAS, UNEMBEDDING_DECAY),
            (model.resid_weights, SCALAR_LR * RESID_LR_FRAC, ADAM_BETAS, 0.0),
            (model.x0_weights, SCALAR_LR, X0_BETAS, 0.0),
        ]
        self.adam_state = [(torch.zeros_like(p), torch.zeros_like(p)) for p, _, _, _ in self.adam]
        by_shape = {}
        for param in model.blocks.parameters():
            by_shape.setdefault(param.shape[-2:], []).append(param)
        self.muon = list(by_shape.values())  # matrices of one shape are updated as one stack
        self.muon_state = [self.zero_state(self.stacked(params)) for params in self.muon]
        self.steps = 0
        compiled = torch.compile(dynamic=False, fullgraph=True) if COMPILE else lambda function: function
        self.muon_update, self.adamw_update = compiled(muon_update), compiled(adamw_update)

    @staticmethod
    def stacked(matrices):
        return torch.cat([m.reshape(-1, *m.shape[-2:]) for m in matrices])

    @staticmethod
    def zero_state(stack):
        across = -1 if stack.size(-2) >= stack.size(-1) else -2
        return torch.zeros_like(stack), torch.zeros_like(stack.mean(dim=across, keepdim=True))

    @torch.no_grad()
    def step(self, lr_multiplier, momentum, weight_decay):
        self.steps += 1
        number = torch.tensor if COMPILE else float  # as a tensor, a new value is no new compilation
        steps, momentum, decay = map(number, (float(self.steps), momentum, weight_decay))
        for (param, lr, betas, wd), state in zip(self.adam, self.adam_state, strict=True):
            lr, wd, betas = number(lr * lr_multiplier), number(wd), tuple(map(number, betas))
            param.sub_(self.adamw_update(param, param.grad, *state, steps, betas, lr, wd))
            param.grad = None
        lr = number(MATRIX_LR * lr_multiplier)
        for params, state in zip(self.muon, self.muon_state, strict=True):
            weights, grads = self.stacked(params), self.stacked([p.grad for p in params])
            update = self.muon_update(weights, grads, *state, momentum, lr, decay)
            parts = update.split([p[..., 0, 0].numel() for p in params])
            for param, part in zip(params, parts, strict=True):
                param.sub_(part.view_as(param))
                param.grad = None


# ---- Training ----------------------------------------------------------------------------------------------


def lr_multiplier_at(progress):
    if progress < WARMUP_RATIO:
        return progress / WARMUP_RATIO
    if progress <= 1 - WARMDOWN_RATIO:
        return 1.0
    left = (1 - progress) / WARMDOWN_RATIO
    return left + (1 - left) * FINAL_LR_FRAC


def muon_momentum_at(step):
    return MUON_MOMENTUM_START + (MUON_MOMENTUM - MUON_MOMENTUM_START) * min(step / MUON_MOMENTUM_STEPS, 1)


def fail():
    """At the end of the progress line and with no summary: the run has no result."""
    print("FAIL")
    sys.exit(1)


def autocast():
    """Products in PRECISION; sums and norms stay in float32."""
    precision = getattr(torch, PRECISION)
    return nullcontext() if precision == torch.float32 else torch.autocast(DEVICE, dtype=precision)


def synchronize():
    if DEVICE != "cpu":
        getattr(torch, DEVICE).synchronize()


def peak_flops(device):
    """(FLOP/s, where that is from): the table, else what a large matrix product reaches here and now."""
    name = device_name()
    if PRECISION == "bfloat16" and not set(UNLISTED) & set(name.split()):
        for words, flops in PEAK_FLOPS.items():
            if re.search(rf"\b{words}\b", name):
                return flops, "published"
    A = torch.ones(PEAK_SIZE, PEAK_SIZE, device=device, dtype=getattr(torch, PRECISION))
    times = []
    for _ in range(PEAK_TRIES):
        synchronize()
        started = time.perf_counter()
        A @ A
        synchronize()
        times.append(time.perf_counter() - started)
    return 2 * PEAK_SIZE**3 / min(times), "measured"


def device_name():
    return torch.cuda.get_device_name() if DEVICE == "cuda" else {"mps": "Apple GPU", "cpu": "CPU"}[DEVICE]


def peak_memory_mb():
    """Of the GPU; without one, of this process (ru_maxrss: kilobytes, on macOS bytes)."""
    if DEVICE == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def effective_config():
    """Every constant as it is in this run, wherever it came from, but for the tables."""
    plain = (bool, int, float, str, tuple, list)
    named = {k: v for k, v in globals().items() if k.isupper() and isinstance(v, plain)}
    return json.dumps({k: v for k, v in named.items() if k != "POLAR_COEFFS"})


def save_checkpoint(model, tokenizer, val_bpb, source):
    """What `prepare.py audit` needs; of the text it runs GPT, GPTConfig, autocast and DEVICE_BATCH_SIZE."""
    checkpoint = {
        "model": model.state_dict(),
        "config": asdict(model.config),
        "train_py": source,
        "data": tokenizer.directory.name,
        "size": SIZE,
        "val_bpb": val_bpb,
    }
    torch.save(checkpoint, f"{CHECKPOINT}.unfinished")
    os.replace(f"{CHECKPOINT}.unfinished", CHECKPOINT)


def main():
    started = time.time()
    source, constants = Path(__file__).read_text(), effective_config()
    device = torch.device(DEVICE)
    torch.manual_seed(SEED)  # of GPUs too
    torch.set_float32_matmul_precision("high")  # TF32 where it exists
    if DEVICE == "cuda" and PRECISION == "bfloat16" and torch.cuda.get_device_capability() < (8, 0):
        sys.exit(f'{device_name()} has no bfloat16: set PRECISION = "float32".')

    tokenizer = Tokenizer.from_directory()
    config = config_for(tokenizer.get_vocab_size())
    print(f"Vocab size: {config.vocab_size:,}")
    print(f"Model config: {asdict(config)}")
    with device:
        model = plain_model = GPT(config)
    counts = model.parameter_counts()
    print("Parameter counts:")
    for name, count in counts.items():
        print(f"  {name:24s}: {count:,}")

    tokens_per_pass = DEVICE_BATCH_SIZE * MAX_SEQ_LEN
    passes = TOTAL_BATCH_SIZE // tokens_per_pass
    if passes < 1 or TOTAL_BATCH_SIZE % tokens_per_pass:
        sys.exit(
            f"TOTAL_BATCH_SIZE {TOTAL_BATCH_SIZE} must be a multiple of DEVICE_BATCH_SIZE * {MAX_SEQ_LEN}"
        )
    print(f"Time budget: {TIME_BUDGET}s")
    print(f"Gradient accumulation steps: {passes}", flush=True)

    optimizer = Optimizer(model)
    peak, peak_from = peak_flops(device)
    flops_per_step = model.flops_per_token() * TOTAL_BATCH_SIZE
    if COMPILE:
        model = torch.compile(model, dynamic=False)
    loader = make_dataloader(tokenizer, DEVICE_BATCH_SIZE, MAX_SEQ_LEN, "train", seed=SEED)
    x, y, epoch = next(loader)

    step, seconds, smooth_loss, step_times, estimates_left = 0, 0.0, 0.0, [], sorted(ESTIMATE_AT)
    while step < UNTIMED_STEPS or seconds < TIME_BUDGET:
        synchronize()
        step_started = time.perf_counter()
        total_loss = torch.zeros((), device=device)
        for _ in range(passes):
            with autocast():
                loss = model(x, y)
            (loss / passes).backward()
            total_loss += loss.detach() / passes
            x, y, epoch = next(loader)  # the next batch travels while the GPU works
        progress = min(seconds / TIME_BUDGET, 1.0)
        lr_multiplier = lr_multiplier_at(progress)
        optimizer.step(lr_multiplier, muon_momentum_at(step), WEIGHT_DECAY * (1 - progress))
        loss = total_loss.item()
        if not loss <= LOSS_LIMIT:  # a NaN is not <= anything
            fail()
        synchronize()
        dt = time.perf_counter() - step_started
        if step >= UNTIMED_STEPS:
            seconds += dt
            step_times.append(dt)
        smooth_loss = LOSS_SMOOTHING * smooth_loss + (1 - LOSS_SMOOTHING) * loss
        shown_loss = smooth_loss / (1 - LOSS_SMOOTHING ** (step + 1))
        print(
            f"\rstep {step:05d} ({100 * progress:.1f}%) | loss: {shown_loss:.6f}"
            f" | lrm: {lr_multiplier:.2f} | dt: {dt * 1000:.0f}ms | tok/sec: {int(TOTAL_BATCH_SIZE / dt):,}"
            f" | mfu: {100 * flops_per_step / dt / peak:.1f}% | epoch: {epoch}"
            f" | remaining: {max(0, TIME_BUDGET - seconds):.0f}s    ",
            end="",
            flush=True,
        )
        if step == 0:  # the collector's pauses would count as training
            gc.collect()
            gc.freeze()
            gc.disable()
        if estimates_left and TIME_BUDGET > seconds >= estimates_left[0] * TIME_BUDGET:
            with autocast():
                estimate = evaluate_bpb(model, tokenizer, DEVICE_BATCH_SIZE, ESTIMATE_TOKENS)
            print(f"\nestimate {estimates_left.pop(0):.2f} | val_bpb: {estimate:.6f}", flush=True)
        step += 1

    with autocast():
        val_bpb = evaluate_bpb(model, tokenizer, DEVICE_BATCH_SIZE)
    if not math.isfinite(val_bpb):
        fail()
    if CHECKPOINT:
        save_checkpoint(plain_model, tokenizer, val_bpb, source)

    print("\n---")
    print(f"val_bpb:          {val_bpb:.6f}")
    print(f"training_seconds: {seconds:.1f}")
    print(f"total_seconds:    {time.time() - started:.1f}")
    print(f"peak_vram_mb:     {peak_memory_mb():.1f}")
    print(f"mfu_percent:      {100 * flops_per_step * len(step_times) / seconds / peak:.2f}")
    print(f"total_tokens_M:   {step * TOTAL_BATCH_SIZE / 1e6:.1f}")
    print(f"num_steps:        {step}")
    print(f"num_params_M:     {counts['total'] / 1e6:.1f}")
    print(f"depth:            {DEPTH}")
    # Beyond upstream's nine:
    print(f"median_step_ms:   {1000 * statistics.median(step_times):.1f}")
    print(f"tokens_seen:      {step * TOTAL_BATCH_SIZE}")
    print(f"seed:             {SEED}")
    print(f"device:           {device_name()}")
    print(f"threads:          {torch.get_num_threads()}")
    print(f"size:             {SIZE}")
    print(f"attention:        {plain_model.attention_kind}")
    print(f"peak_tflops:      {peak / 1e12:.2f}")
    print(f"peak_from:        {peak_from}")
    print(f"data:             {tokenizer.data_id()}")
    print(f"metric_version:   {METRIC_VERSION}")
    print(f"train_sha256:     {hashlib.sha256(source.encode()).hexdigest()}")
    cuda = f", CUDA {torch.version.cuda}" if torch.version.cuda else ""
    print(f"versions:         Python {platform.python_version()}, torch {torch.__version__}{cuda}")
    print(f"config:           {constants}")


if __name__ == "__main__":
    main()
