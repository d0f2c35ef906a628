"""
train.py's model and optimizer against a plain PyTorch GPT, after the same training time on the same data.

    python prepare.py && OMP_NUM_THREADS=1 python benchmarks/against_plain_gpt.py

Both have the same vocabulary, context, depth, width, heads, MLP and tokens per step; neither is compiled. The
plain one is nn.TransformerEncoderLayer with learned positions and AdamW, at the best of LEARNING_RATES. Sides
take turns, so that whatever else the machine does falls on both. With --clock cpu a second is one of this
process's own CPU time: what the wall clock would show, were the machine idle and the process one thread.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import prepare
import train

LEARNING_RATES = (1e-3, 3e-3, 1e-2)  # of AdamW
BETAS = (0.9, 0.95)  # of AdamW
DECAY = 0.1  # of AdamW, on matrices
CLIP = 1.0  # of AdamW: norm of the gradient
WARMUP = 0.05  # fraction of the time; then the rate falls linearly to 0
UNTIMED_STEPS = 2  # caches


class PlainGPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed = nn.Embedding(config.vocab_size, config.n_embd)
        self.position = nn.Parameter(torch.empty(config.sequence_len, config.n_embd))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                config.n_embd,
                config.n_head,
                int(config.mlp_ratio * config.n_embd),
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
                bias=False,
            )
            for _ in range(config.n_layer)
        )
        self.norm = nn.LayerNorm(config.n_embd, bias=False)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        mask = nn.Transformer.generate_square_subsequent_mask(config.sequence_len)
        self.register_buffer("mask", mask, persistent=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, idx, targets, reduction="mean"):
        T = idx.size(1)
        x = self.embed(idx) + self.position[:T]
        for block in self.blocks:
            x = block(x, src_mask=self.mask[:T, :T], is_causal=True)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), reduction=reduction)


class Core:
    """train.py's own model, optimizer and schedule."""

    def __init__(self, config):
        self.model = train.GPT(config)
        self.optimizer = train.Optimizer(self.model)

    def update(self, step, progress):
        lr, momentum = train.lr_multiplier_at(progress), train.muon_momentum_at(step)
        self.optimizer.step(lr, momentum, train.WEIGHT_DECAY * (1 - progress))


class Plain:
    def __init__(self, config, lr):
        self.model, self.lr = PlainGPT(config), lr
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        others = [p for p in self.model.parameters() if p.dim() <= 1]
        groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=lr, betas=BETAS, fused=True)

    def update(self, step, progress):
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * min((progress + 0.002) / WARMUP, (1 - progress) / (1 - WARMUP))
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def run(make, tokenizer, seed, seconds, clock):
    """One training run: {"bpb", "steps", "ms" (median of a step), "matrices"}."""
    torch.manual_seed(seed)
    side = make(train.config_for(tokenizer.get_vocab_size()))
    B, T = train.DEVICE_BATCH_SIZE, prepare.MAX_SEQ_LEN
    passes = train.TOTAL_BATCH_SIZE // (B * T)
    loader = prepare.make_dataloader(tokenizer, B, T, "train", seed=seed)
    step, spent, times = 0, 0.0, []
    while step < UNTIMED_STEPS or spent < seconds:
        started = clock()
        for _ in range(passes):
            x, y, _ = next(loader)
            (side.model(x, y) / passes).backward()
        side.update(step, min(spent / seconds, 1.0))
        if step >= UNTIMED_STEPS:
            times.append(clock() - started)
            spent += times[-1]
        step += 1
    matrices = sum(p.numel() for p in side.model.blocks.parameters() if p.dim() > 1)
    bpb = prepare.evaluate_bpb(side.model, tokenizer, B)
    return {"bpb": bpb, "steps": step, "ms": 1000 * statistics.median(times), "matrices": matrices}


def step_costs(tokenizer, clock, rounds=25):
    """Median milliseconds of a step of each variant; variants take turns, step by step."""
    variants = {
        "train.py as it is": {},
        "SOFTCAP = 15": {"SOFTCAP": 15.0},
        "VALUE_EMBEDS = False": {"VALUE_EMBEDS": False},
        "NS_STEPS = 1": {"NS_STEPS": 1},
    }
    sides, original = {}, {name: getattr(train, name) for v in variants.values() for name in v}
    loader = prepare.make_dataloader(tokenizer, train.DEVICE_BATCH_SIZE, prepare.MAX_SEQ_LEN, "train")
    config = train.config_for(tokenizer.get_vocab_size())
    sides["plain"] = ({}, Plain(config, LEARNING_RATES[0]))
    for label, changes in variants.items():
        set_constants(original | changes)
        sides[label] = (changes, Core(train.config_for(tokenizer.get_vocab_size())))
    times = {label: ([], []) for label in sides}
    for step in range(rounds):
        x, y, _ = next(loader)
        for label, (changes, side) in sides.items():
            set_constants(original | changes)
            started = clock()
            side.model(x, y).backward()
            middle = clock()
            side.update(step, 0.1)
            times[label][0].append(middle - started)
            times[label][1].append(clock() - middle)
    set_constants(original)
    return {label: [1000 * statistics.median(part[2:]) for part in parts] for label, parts in times.items()}


def set_constants(values):
    for name, value in values.items():
        setattr(train, name, value)
    if "NS_STEPS" in values:  # a default argument keeps the value it was defined with
        train.orthogonalize.__defaults__ = (values["NS_STEPS"],)


def summary(values):
    return f"{statistics.mean(values):.4f} (SD {statistics.stdev(values):.4f}, n = {len(values)})"


def main():
    parser = argparse.ArgumentParser(description="train.py against a plain PyTorch GPT.")
    parser.add_argument("--seconds", type=float, default=15, help="training time of a run")
    parser.add_argument("--replicates", type=int, default=5, help="runs of each side, each with its own seed")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    arguments = parser.parse_args()
    clock = {"wall": time.perf_counter, "cpu": time.process_time}[arguments.clock]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    tokenizer = prepare.Tokenizer.from_directory()
    print(f"data {tokenizer.data_id()}, {arguments.seconds:g} s by {arguments.clock} clock")
    print(f"threads {torch.get_num_threads()}, torch {torch.__version__}, {train.config_for(0)}")

    def measure(label, make, seed):
        result = run(make, tokenizer, seed, arguments.seconds, clock)
        rate = train.TOTAL_BATCH_SIZE / result["ms"] * 1000
        print(
            f"{label:14s} seed {seed} | val_bpb {result['bpb']:.4f} | {result['steps']} steps"
            f" | {result['ms']:.1f} ms | {rate:,.0f} tokens/s | {result['matrices']:,} in matrices",
            flush=True,
        )
        return result

    def plain_at(lr):
        return lambda config: Plain(config, lr)

    tried = {lr: measure(f"plain {lr:g}", plain_at(lr), 0) for lr in LEARNING_RATES}
    best = min(tried, key=lambda lr: tried[lr]["bpb"])
    core, plain = [], []
    for seed in range(1, arguments.replicates + 1):
        core.append(measure("train.py", Core, seed))
        plain.append(measure(f"plain {best:g}", plain_at(best), seed))
    core_bpb, plain_bpb = ([result["bpb"] for result in side] for side in (core, plain))
    gain = 1 - statistics.mean(core_bpb) / statistics.mean(plain_bpb)
    ratio = statistics.median(p["ms"] for p in plain) / statistics.median(c["ms"] for c in core)
    print(f"\ntrain.py val_bpb {summary(core_bpb)}\nplain    val_bpb {summary(plain_bpb)}")
    print(f"lower by {100 * gain:.1f} %; tokens/s ratio {ratio:.2f}")
    print("\nmilliseconds of a step: model, optimizer")
    for label, (model_ms, optimizer_ms) in step_costs(tokenizer, clock).items():
        print(f"{label:22s} {model_ms:6.1f} {optimizer_ms:6.1f}")


if __name__ == "__main__":
    main()
