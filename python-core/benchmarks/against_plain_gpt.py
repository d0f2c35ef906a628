"""
train.py's model and optimizer against a plain PyTorch GPT, after the same training time on the same data.

    python prepare.py && OMP_NUM_THREADS=1 python benchmarks/against_plain_gpt.py

Both have the same vocabulary, context, depth, width, heads, MLP and tokens per step; neither is compiled. The
plain one is nn.TransformerEncoderLayer with learned positions and AdamW, at the best of LEARNING_RATES. Sides
take turns, so that whatever else the machine does falls on both. Seconds are of the wall clock. A run for
which the process did not have a core of its own is broken off and made again: it would say what the machine
did. What a --record holds already is not run again.

Four parts, which can be run one by one when they share a --record: rates (the plain side's learning rate),
pairs (both sides, seed by seed), costs (what a step is made of), ablations (train.py with one thing changed).
"""

import argparse
import json
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
CORE_SHARE = 0.95  # of the wall clock, during which the process must have had a core
SETTLING = 2.0  # seconds until that share is judged
ATTEMPTS = 3  # at a run, before it is left for a quieter time
ROUNDS = 40  # steps of each variant in the part "costs"
LARGE_VOCABULARY = 4096  # for what a vocabulary costs

# Each changes one thing: constants of train.py, or what apply() knows by name.
CHANGES = {
    "as it is": {},
    "AdamW at 0.003, not Muon": {"matrices": 3e-3},
    "AdamW at 0.01, not Muon": {"matrices": 1e-2},
    "one Polar Express iteration": {"NS_STEPS": 1},
    "no value embeddings": {"VALUE_EMBED_EVERY": 0},
    "no norm of q and k": {"qk_norm": False},
    "no x0 weights": {"X0_INIT": 0.0, "SCALAR_LR": 0.0},
    "SOFTCAP 15": {"SOFTCAP": 15.0},
    "first layer's window 1/8": {"WINDOW_PATTERN": "SL"},
    "no warmdown": {"WARMDOWN_RATIO": 0.0},
}


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


class AdamWForMatrices(train.Optimizer):
    def __init__(self, model, lr):
        super().__init__(model)
        matrices = [param for params in self.muon for param in params]
        self.muon, self.muon_state = [], []
        self.adam += [(param, lr, BETAS, DECAY) for param in matrices]
        self.adam_state += [(torch.zeros_like(p), torch.zeros_like(p)) for p in matrices]


CONSTANTS = {name: value for name, value in vars(train).items() if name.isupper()}
NORM, ORTHOGONALIZE = train.norm, train.orthogonalize


class Core:
    """train.py's own model, optimizer and schedule, with `changes`."""

    def __init__(self, config, changes):
        self.changes = changes
        self.apply()
        config = train.config_for(config.vocab_size)
        self.model = train.GPT(config)
        lr = changes.get("matrices")
        self.optimizer = AdamWForMatrices(self.model, lr) if lr else train.Optimizer(self.model)

    def apply(self):
        """Before each step, when sides take turns: train.py reads its constants as it goes."""
        for name, value in (CONSTANTS | self.changes).items():
            if name.isupper():
                setattr(train, name, value)
        queries_and_keys = 5  # dimensions: the only tensor with so many that is normed
        qk_norm = self.changes.get("qk_norm", True)
        train.norm = lambda x: x if x.dim() == queries_and_keys and not qk_norm else NORM(x)
        train.orthogonalize = lambda G: ORTHOGONALIZE(G, train.NS_STEPS)

    def loss(self, x, y):
        self.apply()
        return self.model(x, y)

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

    def loss(self, x, y):
        return self.model(x, y)

    def update(self, step, progress):
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * min((progress + 0.002) / WARMUP, (1 - progress) / (1 - WARMUP))
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def run(make, tokenizer, seed, seconds):
    """A run's val_bpb, steps, median ms of a step, weights in matrices, share of a core; None: broken off."""
    torch.manual_seed(seed)
    side = make(train.config_for(tokenizer.get_vocab_size()))
    B, T = train.DEVICE_BATCH_SIZE, prepare.MAX_SEQ_LEN
    passes = train.TOTAL_BATCH_SIZE // (B * T)
    loader = prepare.make_dataloader(tokenizer, B, T, "train", seed=seed)
    step, spent, times, share = 0, 0.0, [], 1.0
    began, cpu_began = time.perf_counter(), time.process_time()
    while step < UNTIMED_STEPS or spent < seconds:
        started = time.perf_counter()
        for _ in range(passes):
            x, y, _ = next(loader)
            (side.loss(x, y) / passes).backward()
        side.update(step, min(spent / seconds, 1.0))
        now = time.perf_counter()
        if step >= UNTIMED_STEPS:
            times.append(now - started)
            spent += times[-1]
        step += 1
        share = (time.process_time() - cpu_began) / (now - began)
        if share < CORE_SHARE and now - began > SETTLING:
            return None
    return {
        "bpb": prepare.evaluate_bpb(side.model, tokenizer, B),
        "steps": step,
        "ms": 1000 * statistics.median(times),
        "matrices": sum(p.numel() for p in side.model.blocks.parameters() if p.dim() > 1),
        "share": share,
    }


def step_costs(tokenizer):
    """Median milliseconds of a step, (model, optimizer), of each variant; they take turns, by steps. Steps
    without a core of their own do not count."""
    config = train.config_for(tokenizer.get_vocab_size())
    large = train.config_for(LARGE_VOCABULARY)
    sides = {"plain GPT": Plain(config, LEARNING_RATES[0])}
    sides[f"plain GPT, vocabulary {LARGE_VOCABULARY:,}"] = Plain(large, LEARNING_RATES[0])
    sides |= {f"train.py {label}": Core(config, changes) for label, changes in CHANGES.items()}
    sides[f"train.py, vocabulary {LARGE_VOCABULARY:,}"] = Core(large, {})
    times = {label: ([], []) for label in sides}
    loader = prepare.make_dataloader(tokenizer, train.DEVICE_BATCH_SIZE, prepare.MAX_SEQ_LEN, "train")
    for step in range(ROUNDS):
        x, y, _ = next(loader)
        for label, side in sides.items():
            started, cpu_started = time.perf_counter(), time.process_time()
            side.loss(x, y).backward()
            middle = time.perf_counter()
            side.update(step, 0.1)
            ended, cpu = time.perf_counter(), time.process_time() - cpu_started
            if step >= UNTIMED_STEPS and cpu >= CORE_SHARE * (ended - started):
                times[label][0].append(middle - started)
                times[label][1].append(ended - middle)
    if not all(model for model, _ in times.values()):
        sys.exit("This machine is busy: call again later.")
    return {label: [1000 * statistics.median(part) for part in parts] for label, parts in times.items()}


class Record:
    """Runs, one JSON a line in a file if there is one; a part finds in it what earlier parts did."""

    def __init__(self, path):
        self.path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self.runs = [json.loads(line) for line in lines]

    def measure(self, part, label, make, tokenizer, seed, seconds):
        if any(run["seed"] == seed for run in self.of(part, label)):
            return  # an earlier call did it
        for _ in range(ATTEMPTS):
            if result := run(make, tokenizer, seed, seconds):
                break
            print(f"{label:28s} seed {seed} | no core of its own", flush=True)
        else:
            sys.exit(
                "This machine is busy: call again later. What was done is in the record, if there is one."
            )
        self.runs.append({"part": part, "label": label, "seed": seed, **result})
        if self.path:
            with open(self.path, "a") as file:
                file.write(json.dumps(self.runs[-1]) + "\n")
        print(
            f"{label:28s} seed {seed} | val_bpb {result['bpb']:.4f} | {result['steps']} steps"
            f" | {result['ms']:.1f} ms | {train.TOTAL_BATCH_SIZE / result['ms'] * 1000:,.0f} tokens/s"
            f" | {result['matrices']:,} in matrices | {result['share']:.2f} of a core",
            flush=True,
        )

    def of(self, part, label=None):
        return [run for run in self.runs if run["part"] == part and label in (None, run["label"])]


def summary(runs, key="bpb"):
    values = [run[key] for run in runs]
    spread = f"SD {statistics.stdev(values):.4f}, " if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f} ({spread}n = {len(values)})"


def report_pairs(record):
    core, plain = record.of("pairs", "train.py"), record.of("pairs", "plain")
    core_bpb, plain_bpb = (statistics.mean(run["bpb"] for run in side) for side in (core, plain))
    ratio = statistics.median(p["ms"] for p in plain) / statistics.median(c["ms"] for c in core)
    print(f"\ntrain.py val_bpb {summary(core)}\nplain    val_bpb {summary(plain)}")
    print(f"lower by {100 * (1 - core_bpb / plain_bpb):.1f} %; tokens/s ratio {ratio:.2f}")


def main():
    parts = ("rates", "pairs", "costs", "ablations")
    parser = argparse.ArgumentParser(description="train.py against a plain PyTorch GPT.")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; default: rates, pairs, costs")
    parser.add_argument("--seconds", type=float, default=15, help="training time of a run, wall clock")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--only", default="", help="ablations whose name holds this")
    parser.add_argument("--record", type=Path, help="file for the runs, one JSON a line")
    arguments = parser.parse_args()
    wanted = arguments.parts or parts[:3]
    if unknown := set(wanted) - set(parts):
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    tokenizer = prepare.Tokenizer.from_directory()
    record = Record(arguments.record)
    print(f"data {tokenizer.data_id()}, {arguments.seconds:g} s")
    print(f"threads {torch.get_num_threads()}, torch {torch.__version__}, {train.config_for(0)}")

    def measure(part, label, make, seed):
        record.measure(part, label, make, tokenizer, seed, arguments.seconds)

    if "rates" in wanted:
        for lr in LEARNING_RATES:
            measure("rates", f"{lr:g}", lambda config, lr=lr: Plain(config, lr), 0)
    if "pairs" in wanted:
        best = float(min(record.of("rates"), key=lambda run: run["bpb"])["label"])
        print(f"plain at its best learning rate, {best:g}")
        for seed in arguments.seeds:
            measure("pairs", "train.py", lambda config: Core(config, {}), seed)
            measure("pairs", "plain", lambda config: Plain(config, best), seed)
        report_pairs(record)
    if "costs" in wanted:
        print("\nmilliseconds of a step: model, optimizer")
        for label, (model_ms, optimizer_ms) in step_costs(tokenizer).items():
            print(f"{label:36s} {model_ms:6.1f} {optimizer_ms:6.1f}")
    if "ablations" in wanted:
        chosen = {label: changes for label, changes in CHANGES.items() if arguments.only in label}
        for seed in arguments.seeds:
            for label, changes in chosen.items():
                measure("ablations", label, lambda config, changes=changes: Core(config, changes), seed)
        for label in chosen:
            print(f"{label:28s} val_bpb {summary(record.of('ablations', label))}")


if __name__ == "__main__":
    main()
