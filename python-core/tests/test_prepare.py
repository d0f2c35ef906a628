import functools
import http.server
import json
import math
import os
import subprocess
import sys
import threading
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
    output, _ = process.communicate(timeout=60)
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


def test_no_document_is_in_both_splits_and_a_copy_counts_once(core, tokenizer, sandbox):
    hashes = json.loads((tokenizer.directory / "documents.json").read_text())
    everything = hashes["train"] + hashes["val"]
    assert hashes["train"] and hashes["val"]
    assert len(set(everything)) == len(everything)
    files = list((sandbox / "texts").iterdir())
    copies, broken, empty = 1, 1, sum(not file.read_bytes().strip() for file in files)
    assert len(everything) == len(files) - copies - broken - empty
    for split in hashes:
        assert (tokenizer.tokens(split) == tokenizer.bos_id).sum() == len(hashes[split])


def test_the_token_files_decode_to_the_documents(core, tokenizer):
    prepare, _ = core
    tokens = np.array(tokenizer.tokens("val"))
    starts = np.flatnonzero(tokens == tokenizer.bos_id)
    decoded = [tokenizer.decode(part.tolist()) for part in np.split(tokens, starts)[1:]]
    expected = [text for text, _, split in prepare.documents(prepare.default_source()) if split == "val"]
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

    def loses_the_race(source, unfinished):
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
    assert sum(manifest["documents"].values()) == 200
    assert sum(manifest["bytes"].values()) == sum(len(text.encode()) for text in poems(0, 200))


def test_shards_are_downloaded_with_retries_and_the_pinned_one_is_for_validation(core, tmp_path):
    prepare, _ = core
    hub = tmp_path / "hub" / prepare.CLIMBMIX
    hub.mkdir(parents=True)
    write_parquet(
        hub / "shard_00000.parquet", [*poems(0, 80), *poems(500, 3)]
    )  # three that are validation text
    write_parquet(hub / prepare.VAL_SHARD, poems(500, 30))
    refused = []

    class Hub(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if not refused:
                refused.append(self.path)
                self.send_error(503)
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Hub, directory=tmp_path / "hub")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "AUTORESEARCH_CACHE": str(tmp_path / "cache"),
            "AUTORESEARCH_SHARDS": "1",
        }
        output = finish(run_prepare(env, "--source", "climbmix"))
        server.shutdown()
    assert len(refused) == 1 and "attempt 1 of" in output
    assert "Train: 80 documents" in output and "Val: 30 documents" in output
    assert not list((tmp_path / "cache" / "shards").glob(".*"))


def test_a_source_that_is_not_there_is_an_error_that_says_what_is_expected(core, tmp_path):
    with pytest.raises(SystemExit, match="expected python, climbmix"):
        core[0].prepare(str(tmp_path / "nothing"))
