"""The task as both backends run it: `setup` once, then `run` in a directory of its own, each with bash."""

import os
import re
import subprocess
import sys

import pytest
from conftest import CORE

yaml = pytest.importorskip("yaml")  # comes with tokenizers


@pytest.fixture
def bash(core, tmp_path):
    """Runs a part of the task in a folder that holds a job's files, with this interpreter as python3."""
    (tmp_path / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    job = tmp_path / "job"
    job.mkdir()
    for name in ("prepare.py", "train.py"):
        (job / name).write_text((CORE / name).read_text())
    task = yaml.safe_load((CORE / "experiment.yaml").read_text())
    env = os.environ | {"EXPERIMENT_ID": "exp-0001", "EXPERIMENT_DESC": 'a "quoted" $HOME; text'}
    env |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AUTORESEARCH_TIME_BUDGET": "1"}

    def run(part):
        done = subprocess.run(["bash", "-c", task[part]], cwd=job, env=env, capture_output=True, timeout=120)
        return done.returncode, done.stdout.decode()

    run.job = job
    return run


def test_setup_uses_a_python_that_has_what_it_takes(bash):
    code, output = bash("setup")
    assert code == 0 and output.startswith("Ready: ")
    assert not (bash.job / ".venv").exists()


def test_a_run_ends_with_its_status_result_and_description(bash):
    code, output = bash("run")
    status, result, description = output.splitlines()[-3:]
    assert code == 0 and status == "EXPERIMENT_STATUS: done"
    val_bpb = re.search(r"^val_bpb: +(\S+)$", output, re.M)[1]
    assert re.fullmatch(rf"EXPERIMENT_RESULT: exp-0001 val_bpb={val_bpb} memory_gb=\d+\.\d", result)
    assert description == 'EXPERIMENT_DESC: a "quoted" $HOME; text'


@pytest.mark.parametrize(
    "script", ["raise SystemError", "print('hello')", "print('---\\nval_bpb: 0.9'); exit(1)"]
)
def test_a_crash_has_no_value_and_fails_the_job(bash, script):
    (bash.job / "train.py").write_text(script)
    code, output = bash("run")
    assert code != 0
    assert output.splitlines()[-3:-1] == [
        "EXPERIMENT_STATUS: crash",
        "EXPERIMENT_RESULT: exp-0001 val_bpb=null memory_gb=null",
    ]
