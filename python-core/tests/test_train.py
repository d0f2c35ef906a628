import ast
import collections
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import CORE

FIXTURES = Path(__file__).parent / "fixtures"
PROGRESS = re.compile(
    r"step \d{5} \(\d+\.\d%\) \| loss: \d+\.\d{6} \| lrm: \d\.\d\d \| dt: \d+ms \| tok/sec: [\d,]+"
    r" \| mfu: \d+\.\d% \| epoch: \d+ \| remaining: \d+s {4}"
)
ESTIMATE = re.compile(r"\nestimate (\d\.\d\d) \| val_bpb: (\d+\.\d{6})\n(?=\r)")
SUMMARY = {
    "val_bpb": r"\d+\.\d{6}",
    "training_seconds": r"\d+\.\d",
    "total_seconds": r"\d+\.\d",
    "peak_vram_mb": r"\d+\.\d",
    "mfu_percent": r"\d+\.\d\d",
    "total_tokens_M": r"\d+\.\d",
    "num_steps": r"\d+",
    "num_params_M": r"\d+\.\d",
    "depth": r"\d+",
}


def check_contract(output):
    """The order and form of what train.py prints; returns the summary."""
    head, _, rest = output.partition("\r")
    body, _, tail = rest.rpartition("\n---\n")
    body = re.sub(ESTIMATE, "", body)
    lines = head.splitlines()
    assert re.fullmatch(r"Vocab size: [\d,]+", lines[0])
    assert lines[1].startswith("Model config: ")
    assert ast.literal_eval(lines[1].removeprefix("Model config: "))["n_layer"] > 0
    assert lines[2] == "Parameter counts:"
    indented = [line for line in lines[3:] if line.startswith("  ")]
    assert indented and all(re.fullmatch(r"  \w+ *: [\d,]+", line) for line in indented)
    for progress in body.rstrip("\n").split("\r"):
        assert PROGRESS.fullmatch(progress), progress
    tail = tail.splitlines()
    for line, (name, form) in zip(tail, SUMMARY.items(), strict=False):
        assert re.fullmatch(f"{name + ':':18s}{form}", line), line
    assert all(re.match(r"\w+: +\S", line) for line in tail)
    return dict(re.split(r": +", line, maxsplit=1) for line in tail)


@pytest.fixture
def model(core):
    _, train = core
    torch.manual_seed(0)
    model = train.GPT(train.config_for(512))
    for parameter in model.parameters():  # not the identity of the start, where nothing could leak
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("window", [128, 17])
def test_no_token_sees_the_future(core, model, window):
    model.windows = [window] * len(model.windows)
    x = torch.randint(0, 512, (2, 64))
    changed = x.clone()
    changed[:, 40:] = torch.randint(0, 512, (2, 24))
    before, after = model(x), model(changed)
    assert torch.allclose(before[:, :40], after[:, :40], atol=1e-5)
    assert not torch.allclose(before[:, 40:], after[:, 40:], atol=1e-2)


def test_a_layer_with_a_window_sees_that_many_tokens_and_no_more(core, model):
    window, layers = 16, len(model.blocks)
    model.windows = [window] * layers
    x = torch.randint(0, 512, (1, model.config.sequence_len))
    changed = x.clone()
    changed[:, 0] = (x[:, 0] + 1) % 512
    difference = (model(x) - model(changed)).abs().amax(-1)[0]
    reach = layers * (window - 1)  # of the stack: each layer looks window - 1 tokens back
    assert difference[window - 1] > 1e-4 and difference[reach] > 1e-6
    assert (difference[reach + 1 :] < 1e-5).all()


def test_windows_follow_the_pattern_and_the_last_layer_sees_everything(core, monkeypatch):
    _, train = core
    for name, value in {"DEPTH": 6, "WINDOW_PATTERN": "SSL", "SHORT_WINDOW": 1 / 4}.items():
        monkeypatch.setattr(train, name, value)
    assert train.GPT(train.config_for(64)).windows == [32, 32, 128, 32, 32, 128]
    monkeypatch.setattr(train, "WINDOW_PATTERN", "S")
    assert train.GPT(train.config_for(64)).windows == [32, 32, 32, 32, 32, 128]
    monkeypatch.setattr(train, "WINDOW_PATTERN", "SX")
    with pytest.raises(AssertionError, match="made of L and S"):
        train.GPT(train.config_for(64))


def dense_attention(q, k, v, left):
    """Softmax attention in float64, written out: (rows, tokens, heads, channels), `left` tokens back."""
    q, k, v = (t.double().transpose(1, 2) for t in (q, k, v))
    scores = q @ k.mT / q.size(-1) ** 0.5
    for i in range(scores.size(-2)):
        for j in range(scores.size(-1)):
            if j > i or i - j > left:
                scores[..., i, j] = -math.inf
    return (scores.softmax(-1) @ v).transpose(1, 2)


def flash_attn_func(
    q,
    k,
    v,
    softmax_scale=None,
    causal=False,
    qv=None,
    q_descale=None,
    k_descale=None,
    v_descale=None,
    window_size=(-1, -1),
    attention_chunk=0,
    softcap=0.0,
    num_splits=1,
    pack_gqa=None,
    deterministic=False,
    sm_margin=0,
    return_attn_probs=False,
):
    """Stands in for FlashAttention 3: its signature, what it refuses, and what it says of window_size."""
    assert causal and q.shape == k.shape == v.shape and q.stride(-1) == k.stride(-1) == v.stride(-1) == 1
    assert q.dtype == k.dtype == v.dtype == torch.bfloat16, "FlashAttention 3 has no float32"
    left, right = window_size
    position = torch.arange(q.size(1))
    back = position[:, None] - position[None, :]
    mask = (back >= -right) & (back <= left)
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=softmax_scale)
    return y.transpose(1, 2)


@pytest.fixture(params=["aot_eager", *(["inductor"] if "AUTORESEARCH_TEST_COMPILE" in os.environ else [])])
def compiling(core, monkeypatch, request):
    """
    Compilation as on a GPU, with fullgraph, so that a break of the graph is an error. Kernels are made only
    if AUTORESEARCH_TEST_COMPILE is set: that takes minutes and g++.
    """
    compile_ = torch.compile
    changed = {"backend": request.param, "fullgraph": True}

    def replaced(function=None, **options):
        options |= changed
        return compile_(function, **options) if function else partial(compile_, **options)

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", replaced)
    monkeypatch.setattr(core[1], "COMPILE", True)


@pytest.fixture
def hopper(core, monkeypatch):
    """A machine that takes itself for a Hopper; what it can import is the test's to say."""
    _, train = core
    monkeypatch.setattr(train, "on_hopper", lambda: True)
    monkeypatch.setattr(train, "PRECISION", "bfloat16")

    def offers(module, **contents):
        monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**contents))

    for name in ("flash_attn_interface", "kernels"):
        monkeypatch.setitem(sys.modules, name, None)  # cannot be imported
    return offers


@pytest.mark.parametrize("window", [1, 5, 128, 200])
@pytest.mark.parametrize("kind", ["sdpa", "flex", "fa3"])
def test_each_kind_of_attention_is_the_dense_one(core, kind, window):
    _, train = core
    torch.manual_seed(0)
    precision = torch.bfloat16 if kind == "fa3" else torch.float32
    q, k, v = (torch.randn(2, 128, 2, 16).to(precision) for _ in range(3))
    if kind == "flex":
        from torch.nn.attention.flex_attention import flex_attention
    function = {"sdpa": None, "fa3": flash_attn_func, "flex": kind == "flex" and flex_attention}[kind]
    mask = train.make_mask(kind, window, 128, torch.device("cpu"))
    y = train.attend(kind, function, window, mask, q, k, v)
    atol = 1e-2 if kind == "fa3" else 1e-5
    assert torch.allclose(y.double(), dense_attention(q, k, v, window - 1), atol=atol)


def test_flash_attention_3_is_taken_from_its_package_or_from_the_hub(core, hopper, capsys):
    _, train = core
    assert train.load_fa3() is None
    assert capsys.readouterr().err.count("No FlashAttention 3 from ") == len(train.FA3_SOURCES)

    def get_kernel(repo_id, *, revision=None, version=None):  # since its version 0.15 it must be told which
        assert (repo_id, revision, version) == ("kernels-community/flash-attn3", None, 1)
        return types.SimpleNamespace(flash_attn_func=flash_attn_func)

    hopper("kernels", get_kernel=get_kernel)
    assert train.load_fa3() is flash_attn_func
    hopper("kernels", get_kernel=lambda repo_id, version: pytest.fail("the package comes first"))
    hopper("flash_attn_interface", flash_attn_func=flash_attn_func)
    assert train.choose_attention(windowed=False) == ("fa3", flash_attn_func)


def test_flash_attention_3_that_is_broken_is_not_taken(core, hopper, capsys):
    """A window one too wide, gradients that are missing, a kernel that dies: each is seen before training."""
    _, train = core

    def wide(*qkv, window_size, **options):
        return flash_attn_func(*qkv, window_size=(window_size[0] + 1, 0), **options)

    def dies(*_, **__):
        raise RuntimeError("no kernel image")

    broken = [wide, lambda *qkv, **options: flash_attn_func(*qkv, **options).detach(), dies]
    reasons = ("its output differs", "not require grad", "no kernel image")
    for function, said in zip(broken, reasons, strict=True):
        hopper("flash_attn_interface", flash_attn_func=function)
        assert train.load_fa3() is None
        assert said in capsys.readouterr().err


def test_flash_attention_3_is_not_asked_for_where_it_cannot_be(core, hopper, monkeypatch):
    _, train = core
    hopper("flash_attn_interface", flash_attn_func=flash_attn_func)
    monkeypatch.setattr(train, "PRECISION", "float32")
    assert train.load_fa3() is None
    monkeypatch.setattr(train, "PRECISION", "bfloat16")
    monkeypatch.setattr(train, "on_hopper", lambda: False)
    assert train.load_fa3() is None


def test_flash_attention_3_gives_the_whole_model_sdpas_loss_and_gradients(core, hopper, monkeypatch):
    _, train = core
    hopper("flash_attn_interface", flash_attn_func=flash_attn_func)
    for name, value in {"DEPTH": 3, "WINDOW_PATTERN": "S", "SHORT_WINDOW": 1 / 4}.items():
        monkeypatch.setattr(train, name, value)
    x, y = torch.randint(0, 512, (2, 2, 128), generator=torch.Generator().manual_seed(0))
    losses, grads = [], []
    for kind in ("sdpa", "fa3"):
        monkeypatch.setattr(train, "ATTENTION", kind)
        torch.manual_seed(0)
        model = train.GPT(train.config_for(512))
        assert model.attention_kind == kind
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(x, y)
        loss.backward()
        losses.append(loss.item())
        grads.append(model.blocks[0].attention.qkv.grad)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert torch.nn.functional.cosine_similarity(*(grad.ravel() for grad in grads), dim=0) > 0.99


def test_the_residual_stream_keeps_its_precision_where_autocast_norms_in_float32(core, model, monkeypatch):
    """As autocast does on CUDA, but not on a CPU: a float32 stream costs twice the memory and its traffic."""
    _, train = core
    rms_norm = torch.nn.functional.rms_norm
    monkeypatch.setattr(train.F, "rms_norm", lambda x, shape, eps: rms_norm(x.float(), shape, eps=eps))
    monkeypatch.setattr(train, "PRECISION", "bfloat16")
    seen = []
    for block in model.blocks:
        block.register_forward_hook(lambda block, inputs, output: seen.extend([inputs[0], output]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(torch.randint(0, 512, (1, 64)))
    assert len(seen) == 2 * len(model.blocks) and {t.dtype for t in seen} == {torch.bfloat16}


def test_flex_and_sdpa_give_the_whole_model_one_output(core, monkeypatch):
    _, train = core
    for name, value in {"DEPTH": 3, "WINDOW_PATTERN": "S", "SHORT_WINDOW": 1 / 4}.items():
        monkeypatch.setattr(train, name, value)
    outputs = []
    for kind in ("sdpa", "flex"):
        monkeypatch.setattr(train, "ATTENTION", kind)
        torch.manual_seed(0)
        model = train.GPT(train.config_for(512))
        assert model.attention_kind == kind
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        with torch.no_grad():
            outputs.append(model(torch.arange(256).view(2, 128)))
    assert torch.allclose(*outputs, atol=1e-4)


def test_attention_that_cannot_be_had_is_said_at_once(core, monkeypatch):
    _, train = core
    monkeypatch.setattr(train, "ATTENTION", "fa3")
    with pytest.raises(SystemExit, match="FlashAttention 3 cannot be loaded"):
        train.GPT(train.config_for(64))


def test_bfloat16_is_float32_but_for_rounding(core, model, monkeypatch):
    _, train = core
    x, y = torch.randint(0, 512, (2, 2, 64))
    exact = model(x, y)
    exact.backward()
    grad = model.blocks[0].attention.qkv.grad.clone()
    model.zero_grad()
    monkeypatch.setattr(train, "PRECISION", "bfloat16")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(x, y)
        assert model(x).dtype == torch.float32
    rounded.backward()
    rounded_grad = model.blocks[0].attention.qkv.grad
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)
    assert torch.nn.functional.cosine_similarity(grad.ravel(), rounded_grad.ravel(), dim=0) > 0.97


def test_compiled_is_eager_and_compiles_once(core, compiling, monkeypatch):
    _, train = core
    counters = torch._dynamo.utils.counters["stats"]
    losses, graphs = [], []
    for compiled in (False, True):
        monkeypatch.setattr(train, "COMPILE", compiled)
        torch.manual_seed(0)
        model = train.GPT(train.config_for(512))
        optimizer = train.Optimizer(model)
        forward = torch.compile(model, dynamic=False) if compiled else model
        x = torch.randint(0, 512, (4, 128))
        for step in range(6):
            loss = forward(x, x.roll(-1, 1))
            loss.backward()
            # Small steps: large ones blow rounding up, and the two would part by and by.
            optimizer.step(0.1 - step / 100, 0.8 + step / 100, 0.1 / (step + 1))
            graphs.append(counters["unique_graphs"])
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    shapes = len({p.shape[-2:] for p in model.blocks.parameters()})
    assert graphs[6] - graphs[5] == 1 + shapes + 2, "model, Muon by shape, AdamW for tables and for scalars"
    assert graphs[-1] == graphs[6], "a new learning rate or step is no new compilation"


@pytest.mark.parametrize("kind", ["flex", "fa3"])
def test_each_kind_of_attention_compiles_in_one_graph(core, compiling, hopper, kind, monkeypatch):
    """Gradients of FlashAttention 3 only: on a CPU, flex_attention has none."""
    _, train = core
    trains = kind == "fa3"
    hopper("flash_attn_interface", flash_attn_func=flash_attn_func)
    monkeypatch.setattr(train, "PRECISION", "bfloat16" if trains else "float32")
    for name, value in {"WINDOW_PATTERN": "S", "SHORT_WINDOW": 1 / 4}.items():
        monkeypatch.setattr(train, name, value)
    losses, grads = [], []
    for name in ("sdpa", kind):
        monkeypatch.setattr(train, "ATTENTION", name)
        torch.manual_seed(0)
        model = train.GPT(train.config_for(512))
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        forward = torch.compile(model, dynamic=False) if name == kind else model
        x = torch.arange(256).view(2, 128)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=trains), torch.set_grad_enabled(trains):
            loss = forward(x, x.roll(-1, 1))
        losses.append(loss.item())
        if trains:
            loss.backward()
            grads.append(model.blocks[0].attention.qkv.grad.ravel())
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)
    assert not trains or torch.nn.functional.cosine_similarity(*grads, dim=0) > 0.99


def test_shapes_and_counts(core, model):
    counts = model.parameter_counts()
    assert counts["total"] == sum(p.numel() for p in model.parameters())
    x = torch.randint(0, 512, (3, 50))
    assert model(x).shape == (3, 50, 512)
    assert model(x, x).shape == () and model(x, x, reduction="none").shape == (150,)
    assert model(x).abs().max() > 3


def test_the_softcap_bounds_logits_and_0_leaves_them(core, model, monkeypatch):
    _, train = core
    x = torch.randint(0, 512, (1, 50))
    monkeypatch.setattr(train, "SOFTCAP", 0)
    free = model(x)
    monkeypatch.setattr(train, "SOFTCAP", 3.0)
    assert free.abs().max() > 3 >= model(x).abs().max()
    assert torch.allclose(model(x), 3 * torch.tanh(free / 3), atol=1e-5)


def test_the_width_is_rounded_up_to_whole_heads(core, monkeypatch):
    _, train = core
    monkeypatch.setattr(train, "DEPTH", 8)
    monkeypatch.setattr(train, "HEAD_DIM", 128)
    widths = []
    for ratio in (48, 64, 72, 80, 90, 96, 112):
        monkeypatch.setattr(train, "ASPECT_RATIO", ratio)
        widths.append(train.config_for(512).n_embd)
    assert widths == [384, 512, 640, 640, 768, 768, 896]


@pytest.mark.parametrize("shape", [(64, 64), (256, 64), (64, 256), (3, 96, 48)])
def test_an_orthogonal_update_has_singular_values_near_one(core, shape):
    _, train = core
    torch.manual_seed(0)
    G = torch.randn(*shape)
    U, size, V = torch.linalg.svd(G, full_matrices=False)
    counted = size > 0.005 * size.norm(dim=-1, keepdim=True)  # far smaller ones take more iterations
    assert counted.float().mean() > 0.9
    for steps, error in ((5, 0.25), (8, 0.03)):
        X = train.orthogonalize(G, steps=steps)
        singular = (U.mT @ X @ V.mT).diagonal(dim1=-2, dim2=-1)[counted]
        assert (singular - 1).abs().max() < error, f"{steps} steps: {singular.min()} to {singular.max()}"
        stays = U @ torch.diag_embed((U.mT @ X @ V.mT).diagonal(dim1=-2, dim2=-1)) @ V
        assert torch.allclose(X, stays, atol=1e-3), "singular vectors stay"


def test_muon_is_its_definition_in_float64(core):
    """
    The reference takes singular values from LAPACK and applies the composed polynomial to them, so it shares
    neither the iteration nor the order of operations.
    """
    _, train = core
    rng = np.random.default_rng(0)
    for rows, columns in ((6, 6), (12, 4), (4, 12)):
        weights = rng.normal(size=(3, rows, columns))
        mean, square = np.zeros_like(weights), np.zeros((3, rows, 1) if rows >= columns else (3, 1, columns))
        ours = torch.from_numpy(weights.copy())
        state = torch.from_numpy(mean.copy()), torch.from_numpy(square.copy())
        for step in range(4):
            grads, momentum, lr, decay = rng.normal(size=weights.shape), 0.9 - step / 10, 0.02, 0.3
            scalars = (torch.tensor(value, dtype=torch.float64) for value in (momentum, lr, decay))
            ours = ours - train.muon_update(ours, torch.from_numpy(grads), *state, *scalars)

            mean = momentum * mean + (1 - momentum) * grads
            nesterov = momentum * mean + (1 - momentum) * grads
            for n in range(3):
                U, s, Vt = np.linalg.svd(nesterov[n], full_matrices=False)
                s = s / np.sqrt((s**2).sum())
                for a, b, c in train.POLAR_COEFFS[: train.NS_STEPS]:
                    s = s / train.NS_MARGIN
                    s = a * s + b * s**3 + c * s**5
                update = U * s @ Vt
                axis = 1 if rows >= columns else 0
                square[n] = train.MUON_BETA2 * square[n] + (1 - train.MUON_BETA2) * np.mean(
                    update**2, axis=axis, keepdims=True
                )
                evened = update / np.sqrt(square[n] + 1e-10)
                update = evened * np.linalg.norm(update) / np.linalg.norm(evened)
                shrinks = np.sign(update) == np.sign(weights[n])
                weights[n] -= lr * np.sqrt(max(1, rows / columns)) * (update + decay * weights[n] * shrinks)
        assert np.allclose(ours.numpy(), weights, rtol=1e-5, atol=1e-7)


def test_adamw_is_torchs_in_float64(core):
    _, train = core
    torch.manual_seed(0)
    ours = torch.randn(40, 8, dtype=torch.float64)
    theirs = torch.nn.Parameter(ours.clone())
    options = {"lr": 0.03, "betas": (0.8, 0.95), "eps": train.ADAM_EPS, "weight_decay": 0.1}
    reference = torch.optim.AdamW([theirs], **options)
    state = torch.zeros_like(ours), torch.zeros_like(ours)
    for step in range(1, 11):
        grad = torch.randn(40, 8, dtype=torch.float64)
        lr = torch.tensor(0.03, dtype=torch.float64)
        number = torch.tensor(step, dtype=torch.float64)
        ours = ours - train.adamw_update(ours, grad, *state, number, (0.8, 0.95), lr, 0.1)
        theirs.grad = grad
        reference.step()
    assert torch.allclose(ours, theirs, rtol=1e-9)


def test_queries_keys_and_values_are_three_matrices_to_muon(core):
    _, train = core
    torch.manual_seed(0)
    model = train.GPT(train.config_for(512))
    optimizer = train.Optimizer(model)
    x = torch.randint(0, 512, (4, 64))
    for block in model.blocks:
        torch.nn.init.normal_(block.attention.proj, std=0.1)
    before = model.blocks[0].attention.qkv.detach().clone()
    model(x, x.roll(-1, 1)).backward()
    optimizer.step(1.0, 0.0, 0.0)
    for matrix in before - model.blocks[0].attention.qkv.detach():
        assert matrix.norm() == pytest.approx(train.MATRIX_LR * matrix.size(0) ** 0.5, rel=0.15)


def test_the_optimizer_moves_every_parameter_once(core):
    _, train = core
    torch.manual_seed(0)
    model = train.GPT(train.config_for(512))
    optimizer = train.Optimizer(model)
    held = [param for param, *_ in optimizer.adam] + [param for params in optimizer.muon for param in params]
    assert collections.Counter(map(id, held)) == collections.Counter(map(id, model.parameters()))
    x = torch.randint(0, 512, (2, 64))
    before = [p.detach().clone() for p in model.parameters()]
    for _ in range(2):  # at first the gradient stops at the zero matrices
        model(x, x).backward()
        optimizer.step(1.0, 0.9, 0.1)
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_schedule_rises_stays_and_falls(core, monkeypatch):
    _, train = core
    monkeypatch.setattr(train, "WARMUP_RATIO", 0.2)
    monkeypatch.setattr(train, "WARMDOWN_RATIO", 0.5)
    monkeypatch.setattr(train, "FINAL_LR_FRAC", 0.1)
    assert [train.lr_multiplier_at(p) for p in (0, 0.1, 0.3, 0.5)] == [0, 0.5, 1, 1]
    assert train.lr_multiplier_at(0.75) == pytest.approx(0.55)
    assert train.lr_multiplier_at(1) == pytest.approx(0.1)
    monkeypatch.setattr(train, "WARMUP_RATIO", 0.0)
    monkeypatch.setattr(train, "WARMDOWN_RATIO", 0.0)
    assert [train.lr_multiplier_at(p) for p in (0, 1)] == [1, 1]


def test_each_constant_is_one_plain_assignment_with_its_meaning(core):
    source = (CORE / "train.py").read_text()
    names = collections.Counter()
    for node in ast.parse(source).body:
        for target in node.targets if isinstance(node, ast.Assign) else []:
            assert isinstance(target, ast.Name), ast.unparse(node)
            names[target.id] += 1
            if target.id != "POLAR_COEFFS":
                line = source.splitlines()[node.end_lineno - 1]
                assert "  # " in line, f"{target.id} has no meaning beside it"
        assert not isinstance(node, (ast.For, ast.While, ast.Try)), ast.unparse(node)
    assert set(names.values()) == {1} and all(name.isupper() for name in names)
    assert len(source.splitlines()) <= 700


def test_no_number_hides_below_the_constants():
    """What may stand there: counts and axes, unit conversions, and what a formula cannot be without."""
    plain = {-2, -1, 0, 1, 2, 3}
    units = {100, 1000, 1e6, 1e12}  # percent, milliseconds, millions, tera
    formulas = {0.5, 6, 12}  # a root; FLOPs of a weight and of an attended channel
    hopper = {9}  # its compute capability
    bfloat16 = {8}  # the same of the first GPUs that have it
    for node in ast.parse((CORE / "train.py").read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and type(part.value) in (int, float):
                    allowed = plain | units | formulas | hopper | bfloat16 | {10, 20}
                    assert part.value in allowed, f"{node.name}, line {part.lineno}: {part.value}"


@pytest.mark.parametrize(
    "size, width, millions",
    [("cpu", 64, 0.3), ("laptop", 256, 7.3), ("small-gpu", 384, 26), ("hopper", 512, 57.7)],
)
def test_every_size_is_a_whole_setting_and_its_shapes_fit(size, width, millions):
    """In a process each, because constants are chosen at import; on a device without numbers."""
    code = """
import prepare, torch, train
rows, length = train.DEVICE_BATCH_SIZE, prepare.MAX_SEQ_LEN
assert train.TOTAL_BATCH_SIZE % (rows * length) == 0 and train.ESTIMATE_TOKENS <= prepare.EVAL_TOKENS
train.ATTENTION, train.COMPILE = "sdpa", False
config = train.config_for(prepare.VOCAB_SIZE)
with torch.device("meta"):
    model = train.GPT(config)
    x = torch.zeros(rows, length, dtype=torch.int64)
optimizer = train.Optimizer(model)
model(x, x).backward()
assert all(p.grad.shape == p.shape for p in model.parameters())
optimizer.step(1.0, 0.9, 0.1)
print(config.n_embd, sum(p.numel() for p in model.parameters()) / 1e6)
"""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AUTORESEARCH_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CORE, env=env | {"AUTORESEARCH_SIZE": size}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.split()
    assert int(said[0]) == width and float(said[1]) == pytest.approx(millions, rel=0.02)


@pytest.mark.parametrize(
    "name, tera",
    [
        ("NVIDIA H100 80GB HBM3", 989.5),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA H200", 989.5),
        ("NVIDIA GH200 480GB", 989.5),
        ("NVIDIA H20", 148),
        ("NVIDIA B200", 2250),
        ("NVIDIA GB200", 2500),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA A10G", 70),
        ("NVIDIA L40S", 362),
        ("NVIDIA L4", 121),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA GeForce RTX 3090 Ti", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("NVIDIA RTX A1000", None),
        ("NVIDIA GeForce RTX 3060", None),
        ("CPU", None),
    ],
)
def test_the_peak_is_the_gpus_own_or_measured(core, name, tera, monkeypatch):
    _, train = core
    monkeypatch.setattr(train, "PRECISION", "bfloat16")
    monkeypatch.setattr(train, "PEAK_SIZE", 64)
    monkeypatch.setattr(train, "device_name", lambda: name)
    flops, source = train.peak_flops("cpu")
    assert source == ("published" if tera else "measured") and flops > 0
    if tera:
        assert flops == tera * 1e12
        monkeypatch.setattr(train, "PRECISION", "float32")
        assert train.peak_flops("cpu")[1] == "measured", "the table is of bfloat16"


@pytest.fixture(scope="session")
def finished_run(run_train, tmp_path_factory):
    """One run of ten seconds that keeps its model; (folder, exit code, output)."""
    folder = tmp_path_factory.mktemp("run")
    env = {"AUTORESEARCH_TIME_BUDGET": "10", "AUTORESEARCH_CHECKPOINT": str(folder / "model.pt")}
    return folder, *run_train(folder, env=env)


def test_a_run_prints_the_contract_and_learns(core, finished_run):
    prepare, train = core
    _, code, output = finished_run
    assert code == 0, output
    summary = check_contract(output)
    assert summary["seed"] == "7"
    assert float(summary["training_seconds"]) == pytest.approx(10, abs=2)
    tokenizer = prepare.Tokenizer.from_directory()
    untrained = prepare.evaluate_bpb(train.GPT(train.config_for(512)), tokenizer, 4)
    bytes_per_token = tokenizer.manifest["bytes"]["val"] / tokenizer.manifest["tokens"]["val"]
    assert untrained == pytest.approx(math.log2(512) / bytes_per_token, rel=0.1)
    assert float(summary["val_bpb"]) < untrained - 0.3


def test_a_run_says_what_it_was(core, finished_run):
    prepare, train = core
    folder, _, output = finished_run
    summary = check_contract(output)
    assert summary["train_sha256"] == hashlib.sha256((folder / "train.py").read_bytes()).hexdigest()
    assert int(summary["tokens_seen"]) == int(summary["num_steps"]) * train.TOTAL_BATCH_SIZE
    assert summary["metric_version"] == prepare.METRIC_VERSION
    assert summary["data"] == prepare.Tokenizer.from_directory().data_id()
    config = json.loads(summary["config"])
    assert config["MUON_BETA2"] == train.MUON_BETA2 and config["TIME_BUDGET"] == 10 and config["SEED"] == 7
    others = {"F", "GPT", "MLP", "POLAR_COEFFS", "PEAK_FLOPS"}
    assert set(config) == {name for name in vars(train) if name.isupper()} - others


def test_estimates_come_at_their_fractions_and_fall(core, finished_run):
    output = finished_run[2]
    estimates = [(float(at), float(bpb)) for at, bpb in ESTIMATE.findall(output)]
    assert [at for at, _ in estimates] == [0.25, 0.5, 0.75]
    assert estimates[-1][1] < estimates[0][1]
    assert float(check_contract(output)["val_bpb"]) < estimates[0][1]
    first = output[: output.index("\nestimate")].rpartition("(")[2]
    assert 10 < float(first.partition("%")[0]) < 60


def test_a_kept_model_can_be_audited_and_each_look_is_counted(core, finished_run, tmp_path):
    folder, _, output = finished_run
    command = [sys.executable, str(CORE / "prepare.py"), "audit", str(folder / "model.pt")]
    said = [subprocess.run(command, capture_output=True, text=True).stdout for _ in range(2)]
    val_bpb = check_contract(output)["val_bpb"]
    audit_bpb = float(re.match(r"audit_bpb: (\d\.\d{6}) on [\d,]+ tokens \(val_bpb was (\S+)\)", said[0])[1])
    assert val_bpb in said[0] and audit_bpb != float(val_bpb)
    assert audit_bpb == pytest.approx(float(val_bpb), rel=0.3)
    assert said[0].splitlines()[0] == said[1].splitlines()[0]
    assert "Look number 1 " in said[0] and "Look number 2 " in said[1]
    assert "---" not in said[0], "no reader of results takes it for one"


def test_a_run_that_explodes_prints_fail_and_no_result(run_train, tmp_path):
    # A large finite rate may end in logits of exactly 0, which are a bad result and no failure.
    code, output = run_train(tmp_path, MATRIX_LR='float("inf")')
    assert code == 1
    assert "---" not in output and "val_bpb" not in output
    last = re.split(r"[\r\n]", output.rstrip("\n"))[-1]
    assert last.endswith("FAIL") and PROGRESS.fullmatch(last.removesuffix("FAIL"))


def test_a_batch_that_does_not_divide_is_refused_at_once(run_train, tmp_path):
    code, output = run_train(tmp_path, TOTAL_BATCH_SIZE="1000")
    assert code == 1 and "must be a multiple of DEVICE_BATCH_SIZE" in output


def test_the_recorded_run_keeps_the_contract():
    summary = check_contract((FIXTURES / "run.log").read_bytes().decode())
    assert 1 < float(summary["val_bpb"]) < 3


def test_the_recorded_failure_has_no_result():
    output = (FIXTURES / "fail.log").read_bytes().decode()
    assert output.endswith("FAIL\n") and "\r" in output and "---" not in output
