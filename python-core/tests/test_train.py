import ast
import collections
import math
import re
from pathlib import Path

import pytest
import torch
from conftest import CORE

FIXTURES = Path(__file__).parent / "fixtures"
PROGRESS = re.compile(
    r"step \d{5} \(\d+\.\d%\) \| loss: \d+\.\d{6} \| lrm: \d\.\d\d \| dt: \d+ms \| tok/sec: [\d,]+"
    r" \| mfu: \d+\.\d% \| epoch: \d+ \| remaining: \d+s {4}"
)
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


@pytest.mark.parametrize("short", [False, True])
def test_no_token_sees_the_future(core, model, short):
    model.is_short = [short] * len(model.is_short)
    x = torch.randint(0, 512, (2, 64))
    changed = x.clone()
    changed[:, 40:] = torch.randint(0, 512, (2, 24))
    before, after = model(x), model(changed)
    assert torch.allclose(before[:, :40], after[:, :40], atol=1e-5)
    assert not torch.allclose(before[:, 40:], after[:, 40:], atol=1e-2)


def test_a_short_window_is_half_the_context(core, model):
    model.is_short = [True] * len(model.is_short)
    window, reach = model.config.sequence_len // 2, len(model.blocks)
    x = torch.randint(0, 512, (1, model.config.sequence_len))
    changed = x.clone()
    changed[:, 0] = (x[:, 0] + 1) % 512
    difference = (model(x) - model(changed)).abs().amax(-1)[0]
    assert difference[window - 1] > 1e-4
    assert reach > 1 or (difference[window:] < 1e-5).all()
    assert (difference[reach * (window - 1) + 1 :] < 1e-5).all()


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


def test_adamw_is_torchs(core):
    _, train = core
    torch.manual_seed(0)
    ours = torch.randn(40, 8)
    theirs = torch.nn.Parameter(ours.clone())
    reference = torch.optim.AdamW([theirs], lr=0.03, betas=(0.8, 0.95), eps=1e-10, weight_decay=0)
    state = {}
    for _ in range(10):
        grad = torch.randn(40, 8)
        ours -= 0.03 * train.adamw_update(grad, state, (0.8, 0.95), 1e-10)
        theirs.grad = grad
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_optimizer_moves_every_parameter_once(core):
    _, train = core
    torch.manual_seed(0)
    model = train.GPT(train.config_for(512))
    optimizer = train.Optimizer(model)
    held = [param for param, *_ in optimizer.adam] + [
        param for params, _ in optimizer.muon for param in params
    ]
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
                assert "  # " in source.splitlines()[node.end_lineno - 1], (
                    f"{target.id} has no meaning beside it"
                )
        assert not isinstance(node, (ast.For, ast.While, ast.Try)), ast.unparse(node)
    assert set(names.values()) == {1} and all(name.isupper() for name in names)


def test_a_run_prints_the_contract_and_learns(core, run_train, tmp_path):
    prepare, train = core
    code, output = run_train(tmp_path)
    assert code == 0, output
    summary = check_contract(output)
    assert summary["seed"] == "7"
    assert float(summary["training_seconds"]) == pytest.approx(3, abs=1)
    tokenizer = prepare.Tokenizer.from_directory()
    untrained = prepare.evaluate_bpb(train.GPT(train.config_for(512)), tokenizer, 4)
    bytes_per_token = tokenizer.manifest["bytes"]["val"] / tokenizer.manifest["tokens"]["val"]
    assert untrained == pytest.approx(math.log2(512) / bytes_per_token, rel=0.1)
    assert float(summary["val_bpb"]) < untrained - 0.5


def test_a_run_that_explodes_prints_fail_and_no_result(run_train, tmp_path):
    code, output = run_train(tmp_path, MATRIX_LR="1e30")
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
