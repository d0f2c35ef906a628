"""A small corpus, prepared once a session in a temporary folder; nothing is written outside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """A cache folder, a small text source and the environment that points every script at them."""
    root = tmp_path_factory.mktemp("core")
    texts = root / "texts"
    texts.mkdir()
    library = Path(os.__file__).parent
    for name in sorted(p.name for p in library.glob("*.py"))[:90]:
        (texts / name).write_bytes((library / name).read_bytes())
    (texts / "copy_of_abc.py").write_bytes((library / "abc.py").read_bytes())
    (texts / "not_utf8.txt").write_bytes(b"\xff\xfe broken " * 100)
    small = {
        "AUTORESEARCH_SIZE": "cpu",
        "AUTORESEARCH_CACHE": str(root / "cache"),
        "AUTORESEARCH_SOURCE": str(texts),
        "AUTORESEARCH_VOCAB_SIZE": "512",
        "AUTORESEARCH_MAX_SEQ_LEN": "128",
        "AUTORESEARCH_EVAL_TOKENS": "8192",
        "AUTORESEARCH_TIME_BUDGET": "5",
        "OMP_NUM_THREADS": "1",
        "SEED": "7",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in small.items():
            patch.setenv(name, value)
        yield root


@pytest.fixture(scope="session")
def core(sandbox):
    """The modules prepare and train, imported under the sandbox's environment, with the corpus ready."""
    import prepare
    import train

    prepare.prepare(prepare.default_source())
    return prepare, train


@pytest.fixture(scope="session")
def run_train(core, sandbox):
    """Runs train.py in a process of its own, with constants replaced; returns (exit code, stdout)."""

    def run(folder, env=None, **constants):
        script = (CORE / "train.py").read_text()
        for name, literal in constants.items():
            script, count = re.subn(rf"^{name} = .*$", f"{name} = {literal}", script, flags=re.M)
            assert count == 1, f"{name} is assigned {count} times"
        (folder / "train.py").write_text(script)
        (folder / "prepare.py").write_text((CORE / "prepare.py").read_text())
        done = subprocess.run(
            [sys.executable, "train.py"],
            cwd=folder,
            env=os.environ | (env or {}),
            capture_output=True,
            timeout=120,
        )
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    return run
