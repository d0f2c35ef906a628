"""
Trains a small GPT for TIME_BUDGET seconds and prints its val_bpb (validation bits per byte, lower is better).

    python prepare.py && python train.py

One device: a CUDA GPU if there is one, else the CPU. Experiments change this file; prepare.py stays as it is.
"""

import gc
import math
import os
import resource
import statistics
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from prepare import CUDA, MAX_SEQ_LEN, TIME_BUDGET, Tokenizer, evaluate_bpb, make_dataloader

# ---- Constants: the CUDA value first where the two differ --------------------------------------------------

# Model. The width is DEPTH * ASPECT_RATIO, rounded up to whole heads.
DEPTH = 8 if CUDA else 2  # transformer layers
ASPECT_RATIO = 64  # width per layer
HEAD_DIM = 128 if CUDA else 32  # width of one attention head
MLP_RATIO = 4  # hidden width of the MLP, in model widths
WINDOW_PATTERN = "L"  # per layer, repeated: L sees the whole context, S half of it (and is slower)
VALUE_EMBEDS = True  # every second layer, the last among them, adds an embedding of the token to its values
GATE_CHANNELS = 32  # channels of the input that open and close the value embeddings
ROPE_BASE = 10000  # wavelength of the slowest rotation, in tokens / 2π
SOFTCAP = 15.0  # logits are squashed into ±SOFTCAP
NORM_EPS = 1e-6  # added to the mean square in every norm

# Batches
TOTAL_BATCH_SIZE = 2**19 if CUDA else 2**11  # tokens per optimizer step
DEVICE_BATCH_SIZE = 128 if CUDA else 4  # rows of MAX_SEQ_LEN tokens per forward pass; lower it on OOM

# Learning rates
EMBEDDING_LR = 0.6  # token and value embeddings (AdamW)
UNEMBEDDING_LR = 0.004  # output head (AdamW)
MATRIX_LR = 0.04  # matrices of the layers (Muon)
SCALAR_LR = 0.5  # per-layer weights of the input, x0 (AdamW)
RESID_LR_FRAC = 0.01  # per-layer weights of the residual stream, as a fraction of SCALAR_LR
ADAM_LR_WIDTH = 768  # model width that the embeddings' rates are meant for; they scale with 1/sqrt(width)

# Optimizers
ADAM_BETAS = (0.8, 0.95)  # decay of AdamW's mean and mean square, per step
X0_BETAS = (0.96, 0.95)  # the same for the x0 weights
ADAM_EPS = 1e-10  # added to AdamW's root mean square
WEIGHT_DECAY = 0.2  # of the matrices, per unit of learning rate; falls linearly to 0 over the run
MUON_MOMENTUM_START = 0.85  # Nesterov momentum at step 0
MUON_MOMENTUM = 0.95  # Nesterov momentum from step MUON_MOMENTUM_STEPS on
MUON_MOMENTUM_STEPS = 300  # steps
MUON_BETA2 = 0.95  # decay of Muon's mean square per row or column, per step
NS_STEPS = 5  # iterations that make an update orthogonal, at most 8
NS_MARGIN = 1.01  # divides at each iteration, so that rounding does not push singular values past 1

# Schedule, in fractions of TIME_BUDGET
WARMUP_RATIO = 0.0  # learning rates rise from 0
WARMDOWN_RATIO = 0.5  # learning rates fall to FINAL_LR_FRAC
FINAL_LR_FRAC = 0.0  # learning rate at the end, as a fraction of the full one

# Run
SEED = int(os.environ.get("SEED", 42))  # of the weights and of the order of the data
UNTIMED_STEPS = 11 if CUDA else 2  # first steps (compilation, caches), which the time budget does not count
LOSS_LIMIT = 100  # nats; beyond it, or with a NaN, the run has failed
LOSS_SMOOTHING = 0.9  # decay of the loss shown while training, per step
PEAK_FLOPS = {"B200": 2.25e15, "H200": 989.5e12, "H100": 989.5e12, "A100": 312e12}  # bf16; others: measured

# ---- Model -------------------------------------------------------------------------------------------------


@dataclass
class GPTConfig:
    sequence_len: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    mlp_ratio: float = MLP_RATIO
    window_pattern: str = WINDOW_PATTERN
    value_embeds: bool = VALUE_EMBEDS


def config_for(vocab_size):
    n_head = math.ceil(DEPTH * ASPECT_RATIO / HEAD_DIM)
    return GPTConfig(MAX_SEQ_LEN, vocab_size, n_layer=DEPTH, n_head=n_head, n_embd=n_head * HEAD_DIM)


def norm(x):
    return F.rms_norm(x, (x.size(-1),), eps=NORM_EPS)


def rotate(x, cos, sin):
    """Turns each pair (i, i + half) of a head's channels by an angle that grows with the position."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, config, has_value_embed):
        super().__init__()
        self.n_head = config.n_head
        self.qkv = nn.ModuleList(nn.Linear(config.n_embd, config.n_embd, bias=False) for _ in range(3))
        self.proj = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.gate = (
            nn.Linear(min(GATE_CHANNELS, config.n_embd), config.n_head, bias=False)
            if has_value_embed
            else None
        )

    def forward(self, x, value_embed, cos, sin, mask):
        B, T, C = x.shape
        q, k, v = (linear(x).view(B, T, self.n_head, -1) for linear in self.qkv)
        if value_embed is not None:
            openness = (
                2 * self.gate(x[..., : self.gate.in_features]).sigmoid()
            )  # 1 at first: gates start at 0
            v = v + openness.unsqueeze(-1) * value_embed.view_as(v).to(v.dtype)
        q, k = norm(rotate(q, cos, sin)), norm(rotate(k, cos, sin))
        q, k, v = (t.to(v.dtype).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.proj(y.transpose(1, 2).reshape(B, T, C))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = int(config.mlp_ratio * config.n_embd)
        self.up = nn.Linear(config.n_embd, hidden, bias=False)
        self.proj = nn.Linear(hidden, config.n_embd, bias=False)

    def forward(self, x):
        return self.proj(F.relu(self.up(x)).square())


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
        with_value = [i for i in layers if config.value_embeds and (config.n_layer - 1 - i) % 2 == 0]
        size = (config.vocab_size, config.n_embd)
        self.embed = nn.Embedding(*size)
        self.value_embeds = nn.ModuleDict({str(i): nn.Embedding(*size) for i in with_value})
        self.blocks = nn.ModuleList(Block(config, i in with_value) for i in layers)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.resid_weights = nn.Parameter(torch.ones(config.n_layer))
        self.x0_weights = nn.Parameter(torch.full((config.n_layer,), 0.1))

        pattern = config.window_pattern
        assert pattern and set(pattern) <= {"L", "S"}, f'WINDOW_PATTERN is made of L and S, not "{pattern}"'
        self.is_short = [pattern[i % len(pattern)] == "S" and i < config.n_layer - 1 for i in layers]
        position = torch.arange(config.sequence_len)
        distance = position[:, None] - position[None, :]
        mask = (distance >= 0) & (distance < config.sequence_len // 2)
        self.register_buffer("short_mask", mask, persistent=False)
        half = config.n_embd // config.n_head // 2
        angle = torch.outer(position.float(), ROPE_BASE ** (-torch.arange(half) / half))[:, None, :]
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        self.init_weights()

    @torch.no_grad()
    def init_weights(self):
        """Layers start as the identity (their last matrix is 0) and the head near uniform."""
        bound = math.sqrt(3 / self.config.n_embd)  # uniform in ±bound has variance 1 / n_embd
        self.embed.weight.normal_()
        self.head.weight.normal_(std=0.001)
        for value_embed in self.value_embeds.values():
            value_embed.weight.uniform_(-bound, bound)
        for block in self.blocks:
            for linear in (*block.attention.qkv, block.mlp.up):
                linear.weight.uniform_(-bound, bound)
            for linear in (block.attention.proj, block.mlp.proj, block.attention.gate):
                if linear is not None:
                    linear.weight.zero_()

    def forward(self, idx, targets=None, reduction="mean"):
        T = idx.size(1)
        cos, sin, mask = self.cos[:T], self.sin[:T], self.short_mask[:T, :T]
        x0 = x = norm(self.embed(idx).bfloat16() if CUDA else self.embed(idx))
        for i, block in enumerate(self.blocks):
            x = self.resid_weights[i] * x + self.x0_weights[i] * x0
            value_embed = self.value_embeds[str(i)](idx) if str(i) in self.value_embeds else None
            x = block(x, value_embed, cos, sin, mask if self.is_short[i] else None)
        logits = SOFTCAP * torch.tanh(self.head(norm(x) / SOFTCAP).float())
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
        """Forward and backward: 6 per weight that multiplies, 12 per channel and token attended to."""
        counts, config = self.parameter_counts(), self.config
        attended = sum(config.sequence_len // (2 if short else 1) for short in self.is_short)
        return 6 * (counts["lm_head"] + counts["transformer_matrices"]) + 12 * config.n_embd * attended


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
    X = G.bfloat16() if G.is_cuda else G.float()
    if tall := X.size(-2) > X.size(-1):
        X = X.mT
    X = X / (X.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for a, b, c in POLAR_COEFFS[:steps]:
        X = X / NS_MARGIN
        S = X @ X.mT
        X = a * X + (b * S + c * S @ S) @ X
    return (X.mT if tall else X).to(G.dtype)


def muon_update(grads, state, momentum, beta2):
    """Nesterov momentum, made orthogonal, then evened out over rows (or columns) by running mean squares."""
    if not state:
        state["mean"] = torch.zeros_like(grads)
        state["square"] = torch.zeros(1, device=grads.device)
    state["mean"].lerp_(grads, 1 - momentum)
    update = orthogonalize(grads.lerp(state["mean"], momentum))
    square = update.square().mean(dim=-1 if update.size(-2) >= update.size(-1) else -2, keepdim=True)
    state["square"] = state["square"].lerp(square, 1 - beta2)
    evened = update * (state["square"] + 1e-10).rsqrt()
    return evened * (
        update.norm(dim=(-2, -1), keepdim=True) / evened.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-10)
    )


def adamw_update(grad, state, betas, eps):
    if not state:
        state.update(step=0, mean=torch.zeros_like(grad), square=torch.zeros_like(grad))
    state["step"] += 1
    state["mean"].lerp_(grad, 1 - betas[0])
    state["square"].lerp_(grad.square(), 1 - betas[1])
    mean = state["mean"] / (1 - betas[0] ** state["step"])
    square = state["square"] / (1 - betas[1] ** state["step"])
    return mean / (square.sqrt() + eps)


class Optimizer:
    """Not a torch.optim.Optimizer, whose first use imports the compiler: a second and more on a CPU."""

    def __init__(self, model):
        scale = (model.config.n_embd / ADAM_LR_WIDTH) ** -0.5
        adam = [
            (list(model.embed.parameters()), EMBEDDING_LR * scale, ADAM_BETAS),
            (list(model.value_embeds.parameters()), EMBEDDING_LR * scale, ADAM_BETAS),
            (list(model.head.parameters()), UNEMBEDDING_LR * scale, ADAM_BETAS),
            ([model.resid_weights], SCALAR_LR * RESID_LR_FRAC, ADAM_BETAS),
            ([model.x0_weights], SCALAR_LR, X0_BETAS),
        ]
        self.adam = [(param, lr, betas, {}) for params, lr, betas in adam for param in params]
        by_shape = {}
        for param in model.blocks.parameters():
            by_shape.setdefault(param.shape, []).append(param)
        self.muon = [(params, {}) for params in by_shape.values()]  # one shape is updated as one stack

    @torch.no_grad()
    def step(self, lr_multiplier, momentum, weight_decay):
        for param, lr, betas, state in self.adam:
            param.sub_(adamw_update(param.grad, state, betas, ADAM_EPS), alpha=lr * lr_multiplier)
            param.grad = None
        for params, state in self.muon:
            update = muon_update(torch.stack([p.grad for p in params]), state, momentum, MUON_BETA2)
            weights = torch.stack(list(params))
            lr = MATRIX_LR * lr_multiplier * max(1, weights.size(-2) / weights.size(-1)) ** 0.5
            decayed = weights * (update * weights > 0)  # cautious: only where the update shrinks them anyway
            torch._foreach_sub_(params, list((lr * (update + weight_decay * decayed)).unbind(0)))
            for param in params:
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
    """On the progress line and with no summary: the run has no result."""
    print("FAIL")
    sys.exit(1)


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


def peak_flops(device):
    """From the table, else what a large matrix product reaches here and now; mfu is relative to it."""
    for name, flops in PEAK_FLOPS.items():
        if CUDA and name in torch.cuda.get_device_name():
            return flops
    n = 8192 if CUDA else 1024
    A = torch.ones(n, n, device=device, dtype=torch.bfloat16 if CUDA else torch.float32)
    times = []
    for _ in range(4):
        synchronize()
        started = time.perf_counter()
        A @ A
        synchronize()
        times.append(time.perf_counter() - started)
    return 2 * n**3 / min(times)


def peak_memory_mb():
    """Of the GPU; without one, of this process (ru_maxrss: kilobytes, on macOS bytes)."""
    if CUDA:
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main():
    started = time.time()
    device = torch.device("cuda" if CUDA else "cpu")
    torch.manual_seed(SEED)  # of CUDA too
    torch.set_float32_matmul_precision("high")  # TF32 where it exists
    autocast = torch.autocast("cuda", dtype=torch.bfloat16) if CUDA else nullcontext()

    tokenizer = Tokenizer.from_directory()
    config = config_for(tokenizer.get_vocab_size())
    print(f"Vocab size: {config.vocab_size:,}")
    print(f"Model config: {asdict(config)}")
    with device:
        model = GPT(config)
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
    peak = peak_flops(device)
    flops_per_step = model.flops_per_token() * TOTAL_BATCH_SIZE
    if CUDA:
        model = torch.compile(model, dynamic=False)
    loader = make_dataloader(tokenizer, DEVICE_BATCH_SIZE, MAX_SEQ_LEN, "train", seed=SEED)
    x, y, epoch = next(loader)

    step, seconds, smooth_loss, step_times = 0, 0.0, 0.0, []
    while step < UNTIMED_STEPS or seconds < TIME_BUDGET:
        synchronize()
        step_started = time.perf_counter()
        for _ in range(passes):
            with autocast:
                loss = model(x, y)
            (loss / passes).backward()
            x, y, epoch = next(loader)  # the next batch travels while the GPU works
        progress = min(seconds / TIME_BUDGET, 1.0)
        lr_multiplier = lr_multiplier_at(progress)
        optimizer.step(lr_multiplier, muon_momentum_at(step), WEIGHT_DECAY * (1 - progress))
        loss = loss.item()
        if not loss <= LOSS_LIMIT:  # a NaN is not <= anything
            fail()
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
        step += 1

    with autocast:
        val_bpb = evaluate_bpb(model, tokenizer, DEVICE_BATCH_SIZE)
    if not math.isfinite(val_bpb):
        fail()

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
    print(f"seed:             {SEED}")
    print(f"device:           {torch.cuda.get_device_name() if CUDA else 'CPU'}")
    print(f"threads:          {torch.get_num_threads()}")
    print(f"data:             {tokenizer.directory.name}")


if __name__ == "__main__":
    main()
