import gzip
import hashlib
import http.server
import json
import math
import os
import subprocess
import sys
import threading
import types
from itertools import islice

import numpy as np
import pytest
import torch
from conftest import CORE


@pytest.fixture
def tokenizer(core):
    return core[0].Tokenizer.from_directory()


def run_prepare(env, *arguments):
    command = [sys.executable, str(CORE / "prepare.py"), *arguments]
    return subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def test_bytes_of_tokens_are_the_texts_bytes_also_where_a_token_is_half_a_character(core, tokenizer):
    prepare, _ = core
    pieces = prepare.bytes_of_tokens(tokenizer.bpe())
    counts = tokenizer.token_bytes()
    text = "naïve café, 你好, 🙂\U0001f9ec\u0301\x00\t\n\ufffd def f(x): return x**2"
    ids = tokenizer.encode(text)
    assert b"".join(pieces[i] for i in ids) == text.encode()
    assert counts[ids].sum().item() == len(text.encode())

    def is_text(piece):
        try:
            return piece.decode() is not None
        except UnicodeDecodeError:
            return False

    assert any(not is_text(pieces[i]) for i in ids), "the text has no token that is broken UTF-8 by itself"
    assert tokenizer.decode(ids) == text


def test_the_byte_alphabet_is_the_tokenizers_own(core):
    from tokenizers import pre_tokenizers

    table = core[0].byte_of_char()
    assert set(table) == set(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(table.values()) == list(range(256))


def test_the_document_marker_is_no_text_and_no_text_spells_it(core, tokenizer):
    assert tokenizer.token_bytes()[tokenizer.bos_id] == 0
    assert (tokenizer.token_bytes()[: tokenizer.bos_id] > 0).all()
    assert tokenizer.bos_id not in tokenizer.encode("<|bos|><|endoftext|><|reserved_0|>")


def test_bpb_is_nats_over_bytes_with_the_document_marker_in_neither_sum(core, tmp_path):
    prepare, _ = core
    source = prepare.Tokenizer.from_directory()
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, source.bos_id + 1, 128 * 3 + 1).astype(np.uint16)  # mostly broken UTF-8
    tokens[::50] = source.bos_id
    for name in ("manifest.json", "token_bytes.npy"):
        (tmp_path / name).write_bytes((source.directory / name).read_bytes())
    tokens.tofile(tmp_path / "val.bin")

    logits = torch.randn(source.get_vocab_size(), source.get_vocab_size(), dtype=torch.float64)

    def bigram(x, y, reduction):
        return torch.nn.functional.cross_entropy(logits[x.view(-1)], y.view(-1), reduction=reduction)

    pieces = [*prepare.bytes_of_tokens(source.bpe()), b""]
    nats = size = 0
    for before, after in zip(tokens[:-1].tolist(), tokens[1:].tolist(), strict=True):
        if pieces[after]:
            nats -= torch.log_softmax(logits[before], -1)[after].item()
            size += len(pieces[after])
    expected = nats / math.log(2) / size
    for batch_size in (1, 2, 8):
        assert prepare.evaluate_bpb(bigram, prepare.Tokenizer(tmp_path), batch_size) == pytest.approx(
            expected
        )


def test_the_metric_reads_the_same_tokens_whatever_the_batch_size(core, tokenizer):
    """With a loss that depends on the tokens alone, another choice of rows would show."""
    prepare, _ = core
    shapes = set()

    def odd(x, y, reduction):
        shapes.add(tuple(x.shape))
        return ((x * 31 + y * 7) % 101).float().view(-1)

    values = {prepare.evaluate_bpb(odd, tokenizer, size, 128 * 50) for size in (1, 7, 32, 64)}
    assert len({round(value, 9) for value in values}) == 1
    assert shapes == {(1, 128), (7, 128), (32, 128), (64, 128)}, "the last batch has the others' shape"


def test_upstreams_count_of_bytes_differs_where_a_token_is_no_utf8(core, tokenizer):
    """Decoding each token alone turns a broken byte into U+FFFD, three bytes."""
    pieces = core[0].bytes_of_tokens(tokenizer.bpe())
    ids = tokenizer.encode("naïve 你好 🙂")
    raw = sum(len(pieces[i]) for i in ids)
    upstreams = sum(len(pieces[i].decode(errors="replace").encode()) for i in ids)
    assert raw == len("naïve 你好 🙂".encode()) and upstreams > raw
    assert core[0].METRIC_VERSION.startswith("raw-bytes-")


def test_no_document_is_in_both_splits_and_a_copy_counts_once(core, tokenizer, sandbox):
    hashes = json.loads((tokenizer.directory / "documents.json").read_text())
    prepare, _ = core
    _, sources = prepare.source_files(prepare.default_source())
    held_out = [digest for _, digest, split in prepare.documents(sources) if split == "audit"]
    everything = hashes["train"] + hashes["val"] + held_out
    assert hashes["train"] and hashes["val"] and held_out
    assert len(set(everything)) == len(everything)
    # Some distributions' libraries hold copies of their own.
    texts = {text for file in (sandbox / "texts").iterdir() if (text := file.read_bytes()).strip()}
    broken = 1
    assert len(everything) == len(texts) - broken
    for split in hashes:
        assert (tokenizer.tokens(split) == tokenizer.bos_id).sum() == len(hashes[split])


def test_the_token_files_decode_to_the_documents(core, tokenizer):
    prepare, _ = core
    tokens = np.array(tokenizer.tokens("val"))
    starts = np.flatnonzero(tokens == tokenizer.bos_id)
    decoded = [tokenizer.decode(part.tolist()) for part in np.split(tokens, starts)[1:]]
    _, files = prepare.source_files(prepare.default_source())
    expected = [text for text, _, split in prepare.documents(files) if split == "val"]
    assert decoded == expected


def batches(prepare, tokenizer, seed, count=5):
    loader = prepare.make_dataloader(tokenizer, 4, prepare.MAX_SEQ_LEN, "train", seed=seed)
    return [(x.tolist(), y.tolist()) for x, y, _ in islice(loader, count)]


def test_the_loaders_order_is_the_seeds(core, tokenizer):
    prepare, _ = core
    assert batches(prepare, tokenizer, 1) == batches(prepare, tokenizer, 1)
    assert batches(prepare, tokenizer, 1) != batches(prepare, tokenizer, 2)
    for x, y in batches(prepare, tokenizer, 1):
        assert [row[1:] for row in x] == [row[:-1] for row in y]


def test_a_loader_that_skips_goes_on_where_another_stopped(core, tokenizer):
    prepare, _ = core
    T = prepare.MAX_SEQ_LEN
    rows = (len(tokenizer.tokens("val")) - 1) // T
    count = 2 * rows // 3 + 5  # batches of three: into the third epoch
    whole = [x.tolist() for x, _, _ in islice(prepare.make_dataloader(tokenizer, 3, T, "val", seed=3), count)]
    resumed = prepare.make_dataloader(tokenizer, 3, T, "val", seed=3, skip=count - 4)
    assert [x.tolist() for x, _, _ in islice(resumed, 4)] == whole[-4:]


def test_an_epoch_deals_out_each_row_once(core, tokenizer):
    prepare, _ = core
    T = prepare.MAX_SEQ_LEN
    rows = [x for x, _, epoch in islice(prepare.make_dataloader(tokenizer, 1, T, "val"), 2000) if epoch == 1]
    tokens = np.concatenate([row.numpy().ravel() for row in rows])
    assert len(rows) >= (len(tokenizer.tokens("val")) - 1) // T - 1
    everything = np.bincount(tokenizer.tokens("val"), minlength=tokenizer.get_vocab_size())
    assert (np.bincount(tokens, minlength=tokenizer.get_vocab_size()) <= everything).all()


def test_settings_and_sources_never_share_a_folder(core, sandbox, monkeypatch):
    prepare, _ = core
    texts = prepare.default_source()
    folders = {prepare.prepared_dir(texts), prepare.prepared_dir("python"), prepare.prepared_dir("climbmix")}
    one_file = prepare.prepared_dir(str(sandbox / "texts" / "abc.py"))
    monkeypatch.setattr(prepare, "VOCAB_SIZE", 300)
    assert len(folders | {one_file, prepare.prepared_dir(texts)}) == 5


def test_a_folder_is_named_for_contents_not_for_places_or_times(core, tmp_path):
    prepare, _ = core
    folders = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "one.txt").write_text("the same text")
        os.utime(tmp_path / place / "one.txt", (0, 10 + len(folders)))
        folders.append(prepare.prepared_dir(str(tmp_path / place)))
    assert folders[0] == folders[1]
    (tmp_path / "b" / "one.txt").write_text("the text same")
    assert prepare.prepared_dir(str(tmp_path / "b")) not in folders


def test_debian_installs_documentation_packages_when_asked_and_says_what_failed(core, tmp_path, monkeypatch):
    prepare, _ = core
    # A stand-in for apt-get alone: the tests must not change the machine that they run on.
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$FAILS" != "$2" ]\n')
    apt.chmod(0o755)
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    prepare.install_debian_docs()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["-q update", f"-q install -y --no-install-recommends {' '.join(prepare.DEBIAN_PACKAGES)}"]
    monkeypatch.setenv("FAILS", "install")
    with pytest.raises(SystemExit, match="apt-get -q install .* failed"):
        prepare.install_debian_docs()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match="needs apt-get"):
        prepare.install_debian_docs()


def test_debian_reads_packed_texts_and_the_text_of_pages_but_no_licences(core, tmp_path, monkeypatch):
    prepare, _ = core
    monkeypatch.setattr(prepare, "DEBIAN_DOCS", tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "changelog.Debian.gz").write_bytes(gzip.compress(b"new upstream release"))
    (tmp_path / "pkg" / "page.html").write_text("<p>a &lt; b<script>no()</script> and <b>c</b></p>")
    (tmp_path / "pkg" / "copyright").write_text("licence")
    (tmp_path / "pkg" / "broken.txt.gz").write_bytes(b"no gzip")
    with pytest.raises(SystemExit, match=r"too little text.*apt-get install"):
        prepare.source_files("debian")
    monkeypatch.setattr(prepare, "DEBIAN_LEAST_BYTES", 1)
    _, files = prepare.source_files("debian")
    texts = {text for file in files for text in prepare.read_texts(file)}
    assert texts == {"new upstream release", "a < b and c"}


def test_training_cannot_ask_for_the_audit_and_no_file_holds_its_text(core, tokenizer):
    prepare, _ = core
    with pytest.raises(ValueError, match='not "audit"'):
        tokenizer.tokens("audit")
    _, files = prepare.source_files(prepare.default_source())
    held_out = next(text for text, _, split in prepare.documents(files) if split == "audit")
    row = np.array(tokenizer.encode(held_out)[:200], dtype=np.uint16).tobytes()
    rows = np.array(tokenizer.encode(held_out), dtype=np.uint16)
    assert rows.tobytes() in prepare.audit_tokens(tokenizer).tobytes()
    for file in tokenizer.directory.iterdir():
        assert row not in file.read_bytes(), file


def test_two_that_prepare_at_once_end_with_one_whole_corpus(core, sandbox, tmp_path):
    env = {"AUTORESEARCH_CACHE": str(tmp_path)}
    outputs = [finish(process) for process in [run_prepare(env), run_prepare(env)]]
    folders = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(folders) == 1 and (folders[0] / "manifest.json").exists()
    assert sum("Tokenizer:" in output for output in outputs) == 1, "the second waits for the first one's work"
    assert all(f"Ready: {folders[0]}" in output for output in outputs)
    again = core[0].Tokenizer.from_directory()
    assert (folders[0] / "manifest.json").read_text() == (again.directory / "manifest.json").read_text()


def test_who_finds_the_folder_there_after_all_keeps_it(core, tmp_path, monkeypatch):
    """As on a file system whose locks do not hold."""
    prepare, _ = core
    monkeypatch.setenv("AUTORESEARCH_CACHE", str(tmp_path))
    directory = prepare.prepared_dir(prepare.default_source())

    def loses_the_race(source, files, unfinished):
        directory.mkdir()
        (directory / "manifest.json").write_text("the winner's")

    monkeypatch.setattr(prepare, "build", loses_the_race)
    assert prepare.prepare(prepare.default_source()) == directory
    assert (directory / "manifest.json").read_text() == "the winner's"
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [directory]


def write_parquet(path, texts):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table({"text": texts}), path)


def poems(start, count):
    return [
        f"Document {i}: " + " ".join(f"{i * j} sheep" for j in range(60)) for i in range(start, start + count)
    ]


def test_a_parquet_file_with_a_text_column_is_a_source(core, tmp_path, monkeypatch):
    prepare, _ = core
    write_parquet(tmp_path / "mine.parquet", [*poems(0, 200), *poems(0, 10), "", None])
    monkeypatch.setenv("AUTORESEARCH_CACHE", str(tmp_path / "cache"))
    manifest = prepare.Tokenizer(prepare.prepare(str(tmp_path / "mine.parquet"))).manifest
    texts = poems(0, 200)
    kept = [text for text in texts if int(prepare.document_hash(text), 16) % 100 not in range(8, 12)]
    assert len(texts) > len(kept) == sum(manifest["documents"].values())
    assert sum(manifest["bytes"].values()) == sum(len(text.encode()) for text in kept)


@pytest.fixture
def hub(core, tmp_path):
    """A hub as far as its client needs one. `hub.breaks` GETs end early; `hub.lies`: a wrong sha256."""
    prepare, _ = core
    files = {
        "shard_00000.parquet": [*poems(0, 80), *poems(500, 3)],  # three that are validation text
        prepare.VAL_SHARD: poems(500, 30),
        prepare.AUDIT_SHARD: [*poems(900, 20), *poems(500, 2), *poems(0, 2)],  # four that were seen
    }
    for name, texts in files.items():
        write_parquet(tmp_path / name, texts)
    hub = types.SimpleNamespace(breaks=1, lies=False, asked=[])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            if name not in files:  # what else the hub's client likes to know
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")  # as the hub says it
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = (tmp_path / name).read_bytes()
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            hub.asked.append((self.command, self.path, start))
            self.send_response(206 if start else 200)
            digest = "0" * 64 if hub.lies else hashlib.sha256(data).hexdigest()
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if self.command == "HEAD":
                return
            if hub.breaks > 0:
                hub.breaks -= 1
                self.wfile.write(data[start : len(data) // 2])
                self.close_connection = True
            else:
                self.wfile.write(data[start:])

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hub.env = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "AUTORESEARCH_CACHE": str(tmp_path / "cache"),
            "AUTORESEARCH_SHARDS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        yield hub
        server.shutdown()


def test_shards_are_downloaded_once_and_the_audits_is_left_where_it_is(core, hub, tmp_path, monkeypatch):
    prepare, _ = core
    output = finish(run_prepare(hub.env, "--source", "climbmix"))
    assert "Train: 80 documents" in output and "Val: 30 documents" in output
    assert not any(prepare.AUDIT_SHARD in path for _, path, _ in hub.asked)

    hub.asked.clear()
    finish(run_prepare(hub.env, "--source", "climbmix"))
    assert hub.asked == [], "what is there is not downloaded again"

    for name, value in hub.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(prepare, "SHARDS", 1)
    tokenizer = prepare.Tokenizer(prepare.prepared_dir("climbmix"))
    tokens = prepare.audit_tokens(tokenizer)
    assert (tokens == tokenizer.bos_id).sum() == 20


def test_a_download_goes_on_where_it_broke_off(core, hub, tmp_path, monkeypatch):
    prepare, _ = core
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 64)  # what it keeps is whole chunks
    for name, value in hub.env.items():
        monkeypatch.setenv(name, value)
    shard = tmp_path / "shards" / "shard_00000.parquet"
    prepare.download_shards([shard])
    starts = [start for command, _, start in hub.asked if command == "GET"]
    assert starts[0] == 0 and starts[1] >= shard.stat().st_size // 2 - 64
    assert shard.read_bytes() == (tmp_path / shard.name).read_bytes()


def test_a_shard_that_is_not_what_the_hub_says_is_refused(core, hub, tmp_path, monkeypatch):
    prepare, _ = core
    hub.lies, hub.breaks = True, 0
    for name, value in hub.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(prepare, "DOWNLOAD_ATTEMPTS", 1)
    shards = tmp_path / "shards"
    with pytest.raises(SystemExit, match=r"its sha256 is .*, not 0000"):
        prepare.download_shards([shards / "shard_00000.parquet"])
    assert not list(shards.glob("*.parquet"))


def test_a_shard_that_the_hub_does_not_have_is_asked_for_once(core, hub, tmp_path, monkeypatch):
    prepare, _ = core
    for name, value in hub.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(prepare.time, "sleep", lambda seconds: pytest.fail("it waits to ask again"))
    with pytest.raises(SystemExit, match=r"Cannot download shard_00077\.parquet"):
        prepare.download_shards([tmp_path / "shards" / "shard_00077.parquet"])


def test_a_source_that_is_not_there_is_an_error_that_says_what_is_expected(core, tmp_path):
    with pytest.raises(SystemExit, match="expected python, debian, climbmix"):
        core[0].prepare(str(tmp_path / "nothing"))


def test_a_gpu_that_torch_cannot_use_ends_the_run_before_it_begins(core, tmp_path, monkeypatch):
    """The CPU's small model would train for minutes at a GPU's price and look like a result."""
    prepare, _ = core
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(prepare, "DEVICE", "cpu")
    assert not prepare.gpu_out_of_reach(tmp_path)
    (tmp_path / "nvidiactl").touch()
    assert not prepare.gpu_out_of_reach(tmp_path), "the driver without a GPU for us"
    (tmp_path / "nvidia3").touch()
    assert prepare.gpu_out_of_reach(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not prepare.gpu_out_of_reach(tmp_path), "who hides it wants the CPU"

    monkeypatch.setattr(prepare, "gpu_out_of_reach", lambda: True)
    assert prepare.choose_size() == "cpu", "AUTORESEARCH_SIZE is set here"
    monkeypatch.delenv("AUTORESEARCH_SIZE")
    with pytest.raises(SystemExit, match=r"NVIDIA GPU that torch .* cannot use"):
        prepare.choose_size()
