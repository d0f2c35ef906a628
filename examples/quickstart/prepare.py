"""
Data, tokenizer, dataloader and the metric. Fixed: experiments change train.py, never this file.

    python prepare.py                         # climbmix where there is CUDA, else python
    python prepare.py --source python         # text of this Python's own standard library: no download
    python prepare.py --source climbmix       # parquet shards from the hub
    python prepare.py --source DIR_OR_FILE    # your own .parquet (a column `text`) or text files

What was prepared lies under $AUTORESEARCH_CACHE (~/.cache/autoresearch-core), in a folder named for what
went into it, so a second call is instant and two sources never mix. train.py takes $AUTORESEARCH_SOURCE, or
the same default as here.
"""

import argparse
import fcntl
import hashlib
import json
import math
import os
import shutil
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

CUDA = torch.cuda.is_available()


def setting(name, default):
    """A whole number, from the environment variable AUTORESEARCH_<name> if it is set."""
    return int(os.environ.get(f"AUTORESEARCH_{name}", default))


# ---- What every experiment shares --------------------------------------------------------------------------

MAX_SEQ_LEN = setting("MAX_SEQ_LEN", 2048 if CUDA else 256)  # tokens of context
TIME_BUDGET = setting("TIME_BUDGET", 300 if CUDA else 12)  # seconds of training, wall clock
EVAL_TOKENS = setting("EVAL_TOKENS", 40 * 2**19 if CUDA else 2**16)  # tokens of validation text in the metric

VOCAB_SIZE = setting("VOCAB_SIZE", 8192 if CUDA else 1024)  # tokens, the document marker included
TOKENIZER_CHARS = setting(
    "TOKENIZER_CHARS", 200_000_000 if CUDA else 4_000_000
)  # characters the merges are learnt from
MAX_DOC_CHARS = 100_000  # characters kept of one document, so that none dominates
VAL_PERCENT = 8  # of documents, chosen by hash, where no shard is pinned for validation
FORMAT = 1  # raise it when the prepared files would come out differently

# Letters with the sign before them, numbers by two digits, signs, line ends, other blanks.
SPLIT_PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

SHARDS = setting("SHARDS", 10)  # training shards of climbmix
VAL_SHARD = "shard_06542.parquet"  # the last one, pinned for validation as in karpathy/autoresearch
CLIMBMIX = "datasets/karpathy/climbmix-400b-shuffle/resolve/main"
DOWNLOAD_ATTEMPTS = 5
DOWNLOAD_WORKERS = 8

TEXT_SUFFIXES = {".py", ".md", ".rst", ".txt"}
TEXT_NAMES = ("README", "LICENSE", "COPYING")
# Installed packages differ from machine to machine, tests are often left out; encodings/ is tables.
SKIP_DIRS = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test", "encodings"}


# ---- Where things are --------------------------------------------------------------------------------------


def cache_root():
    return Path(
        os.environ.get("AUTORESEARCH_CACHE") or Path.home() / ".cache" / "autoresearch-core"
    ).expanduser()


def default_source():
    return os.environ.get("AUTORESEARCH_SOURCE") or ("climbmix" if CUDA else "python")


def text_files(root):
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in SKIP_DIRS and not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in names
            if Path(name).suffix in TEXT_SUFFIXES or name.startswith(TEXT_NAMES)
        ]
    return found


def source_files(source):
    """(root, files) on this machine; shards that were not downloaded yet are in the list all the same."""
    if source == "python":
        root = Path(sysconfig.get_paths()["stdlib"])
        files = text_files(root)
    elif source == "climbmix":
        root = cache_root() / "shards"
        files = [root / f"shard_{i:05d}.parquet" for i in range(SHARDS)] + [root / VAL_SHARD]
    else:
        path = Path(source).expanduser().resolve()
        root = path if path.is_dir() else path.parent
        files = [path] if path.is_file() else list(path.rglob("*.parquet")) if path.is_dir() else []
        files = files or (text_files(path) if path.is_dir() else [])
    if not files:
        sys.exit(f'Source "{source}" has no text: expected python, climbmix, or your .parquet or text.')
    # The pinned shard first: a training document that is in it too is then the copy, and is left out.
    return root, sorted(
        set(files), key=lambda file: (file.name != VAL_SHARD, file.relative_to(root).as_posix())
    )


def prepared_dir(source):
    """The folder of this source under these settings. Cheap: names and sizes stand for the contents."""
    root, files = source_files(source)
    named = source in ("python", "climbmix")
    listing = [file.relative_to(root).as_posix() for file in files]
    if source != "climbmix":
        stats = [file.stat() for file in files]
        listing = [
            (name, s.st_size, 0 if named else s.st_mtime_ns) for name, s in zip(listing, stats, strict=True)
        ]
    recipe = [
        FORMAT,
        VOCAB_SIZE,
        TOKENIZER_CHARS,
        MAX_DOC_CHARS,
        VAL_PERCENT,
        SPLIT_PATTERN,
        source if named else "local",
        listing,
    ]
    key = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]
    return cache_root() / f"{source if named else 'local'}-{key}"


# ---- Documents ---------------------------------------------------------------------------------------------


def download_shard(path):
    if path.exists():
        return
    url = f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co')}/{CLIMBMIX}/{path.name}"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=60) as response, open(partial, "wb") as file:
                shutil.copyfileobj(response, file, 2**20)
                expected = response.headers.get("Content-Length")
            if expected and partial.stat().st_size != int(expected):
                raise OSError(f"{partial.stat().st_size} of {expected} bytes arrived")
            os.replace(partial, path)
            print(f"  downloaded {path.name}", flush=True)
            return
        except OSError as error:  # urllib's errors are OSErrors
            partial.unlink(missing_ok=True)
            missing = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404)
            if missing or attempt == DOWNLOAD_ATTEMPTS:
                sys.exit(f"Cannot download {url}: {error}")
            print(f"  {path.name}, attempt {attempt} of {DOWNLOAD_ATTEMPTS}: {error}", flush=True)
            time.sleep(2**attempt)


def read_texts(file):
    """The texts in a file, or nothing if it is not UTF-8."""
    if file.suffix == ".parquet":
        try:
            import pyarrow.parquet
        except ImportError:
            sys.exit("Reading .parquet needs pyarrow: pip install pyarrow")
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=1024, columns=["text"]):
            yield from (text for text in batch.column(0).to_pylist() if text)
    else:
        try:
            yield file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return


def document_hash(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def documents(source):
    """(text, hash, split) of every distinct document, always in the same order and the same split."""
    seen = set()
    _, files = source_files(source)
    pinned = any(file.name == VAL_SHARD for file in files)
    for file in files:
        for text in read_texts(file):
            text = text[:MAX_DOC_CHARS]
            digest = document_hash(text)
            if digest in seen or not text.strip():
                continue
            seen.add(digest)
            is_val = file.name == VAL_SHARD if pinned else int(digest, 16) % 100 < VAL_PERCENT
            yield text, digest, "val" if is_val else "train"


# ---- Tokenizer ---------------------------------------------------------------------------------------------


def learn_merges(source):
    """Byte-level BPE of training documents. The document marker is no part of it, so no text can spell it."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    def sample():
        left = TOKENIZER_CHARS
        for text, _, split in documents(source):
            if split == "train":
                yield text[:left]
                left -= len(text)
                if left <= 0:
                    return

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE - 1, initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator(sample(), trainer)
    return bpe


def byte_of_char():
    """The byte-level alphabet backwards: printable Latin-1 is itself, the rest is U+0100 and on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(moved)}


def bytes_of_tokens(bpe):
    """The raw bytes of each token, by id: also of those that are no valid UTF-8 by themselves."""
    table = byte_of_char()
    tokens = sorted(bpe.get_vocab().items(), key=lambda item: item[1])
    return [bytes(table[char] for char in token) for token, _ in tokens]


class Tokenizer:
    """What was prepared of one source: its vocabulary, its token files and its facts."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.manifest = json.loads((self.directory / "manifest.json").read_text())
        self.bos_id = self.manifest["vocab_size"] - 1

    @classmethod
    def from_directory(cls, directory=None):
        directory = directory or prepared_dir(default_source())
        if not Path(directory, "manifest.json").exists():
            sys.exit(f'Source "{default_source()}" is not prepared ({directory}). Run prepare.py first.')
        return cls(directory)

    def get_vocab_size(self):
        return self.manifest["vocab_size"]

    def get_bos_token_id(self):
        return self.bos_id

    def token_bytes(self, device="cpu"):
        """How many bytes each token stands for; 0 for the document marker."""
        return torch.from_numpy(np.load(self.directory / "token_bytes.npy")).to(device)

    def tokens(self, split):
        return np.memmap(self.directory / f"{split}.bin", dtype=np.uint16, mode="r")

    def bpe(self):
        from tokenizers import Tokenizer as BPE  # not needed to train a model: its import costs start-up time

        return BPE.from_file(str(self.directory / "tokenizer.json"))

    def encode(self, text):
        return self.bpe().encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.bpe().decode([i for i in ids if i != self.bos_id])


# ---- Preparing ---------------------------------------------------------------------------------------------


def write_tokens(source, bpe, bos_id, directory):
    """train.bin and val.bin, one run of uint16 each, the marker before each document; and what is in them."""
    hashes, bytes_in, digests = (
        {split: start() for split in ("train", "val")} for start in (list, int, hashlib.sha256)
    )
    with open(directory / "train.bin", "wb") as train, open(directory / "val.bin", "wb") as val:
        out = {"train": train, "val": val}

        def flush(batch):
            encodings = bpe.encode_batch_fast([text for text, _, _ in batch], add_special_tokens=False)
            for (text, digest, split), encoding in zip(batch, encodings, strict=True):
                data = np.array([bos_id, *encoding.ids], dtype=np.uint16).tobytes()
                out[split].write(data)
                digests[split].update(data)
                hashes[split].append(digest)
                bytes_in[split] += len(text.encode())

        batch = []
        for document in documents(source):
            batch.append(document)
            if len(batch) == 256:
                flush(batch)
                batch = []
        flush(batch)
    return hashes, bytes_in, {split: digest.hexdigest() for split, digest in digests.items()}


def build(source, directory):
    started = time.time()
    bpe = learn_merges(source)
    vocab_size = bpe.get_vocab_size() + 1
    if vocab_size > 2**16:
        sys.exit(f"A vocabulary of {vocab_size} does not fit uint16.")
    bpe.save(str(directory / "tokenizer.json"))
    np.save(
        directory / "token_bytes.npy", np.array([len(b) for b in bytes_of_tokens(bpe)] + [0], dtype=np.int32)
    )
    print(f"Tokenizer: {vocab_size:,} tokens, learnt in {time.time() - started:.1f} s", flush=True)

    started = time.time()
    hashes, bytes_in, digests = write_tokens(source, bpe, vocab_size - 1, directory)
    tokens = {split: (directory / f"{split}.bin").stat().st_size // 2 for split in hashes}
    if min(tokens.values()) <= MAX_SEQ_LEN:
        sys.exit(f'Source "{source}" is too small: {tokens} tokens, and a row takes {MAX_SEQ_LEN + 1}.')
    manifest = {
        "source": source,
        "vocab_size": vocab_size,
        "documents": {split: len(hashes[split]) for split in hashes},
        "tokens": tokens,
        "bytes": bytes_in,
        "sha256": digests,
        "python": sys.version.split()[0],
    }
    (directory / "documents.json").write_text(json.dumps(hashes))
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for split in hashes:
        size = f"{tokens[split]:,} tokens, {bytes_in[split]:,} bytes"
        print(f"{split.capitalize()}: {len(hashes[split]):,} documents, {size}", flush=True)
    print(f"Tokenized in {time.time() - started:.1f} s", flush=True)


def prepare(source):
    """The folder with everything in it. It appears all at once or not at all, whoever else prepares."""
    directory = prepared_dir(source)
    if (directory / "manifest.json").exists():
        print(f"Ready: {directory}")
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.with_suffix(".lock"), "w") as lock:
        fcntl.flock(
            lock, fcntl.LOCK_EX
        )  # who comes second waits for the first one's work; it ends with the process
        if not (directory / "manifest.json").exists():
            _, files = source_files(source)
            print(f'Source "{source}": {len(files):,} files', flush=True)
            if source == "climbmix":
                files[0].parent.mkdir(exist_ok=True)
                with ThreadPoolExecutor(DOWNLOAD_WORKERS) as pool:
                    list(pool.map(download_shard, files))
            unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=directory.parent))
            try:
                build(source, unfinished)
                unfinished.chmod(0o755)  # a cache may be shared
                os.rename(unfinished, directory)
            except OSError:  # a file system whose locks do not hold: whoever renamed first has won
                if not (directory / "manifest.json").exists():
                    raise
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    print(f"Ready: {directory}")
    return directory


# ---- For train.py ------------------------------------------------------------------------------------------


def rows_at(tokens, starts, length, device):
    """Inputs and targets of `length` tokens from each start; the targets are the inputs one token later."""
    rows = torch.from_numpy(
        np.stack([tokens[start : start + length + 1] for start in starts]).astype(np.int64)
    )
    if device.type == "cuda":
        rows = rows.pin_memory().to(device, non_blocking=True)
    return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


def make_dataloader(tokenizer, B, T, split, seed=0):
    """Endless (inputs, targets, epoch); an epoch deals out all rows of T tokens once, in a seeded order."""
    device = torch.device("cuda" if CUDA else "cpu")
    tokens = tokenizer.tokens(split)
    epoch, queue = 0, np.empty(0, dtype=np.int64)
    while True:
        while len(queue) < B:
            epoch += 1
            rng = np.random.default_rng([seed, epoch])
            offset = rng.integers(
                min(T, len(tokens) - T)
            )  # so that the cuts between rows move from epoch to epoch
            queue = np.concatenate([queue, offset + T * rng.permutation((len(tokens) - 1 - offset) // T)])
        starts, queue = queue[:B], queue[B:]
        yield *rows_at(tokens, starts, T, device), epoch


@torch.no_grad()
def evaluate_bpb(model, tokenizer, batch_size):
    """
    Bits per byte of validation text: the cross-entropy of all tokens over the bytes that they stand for. A
    document marker is no text and counts in neither sum. Always the same EVAL_TOKENS tokens, in rows of
    MAX_SEQ_LEN spread evenly over the whole validation file, whatever the batch size.
    """
    device = torch.device("cuda" if CUDA else "cpu")
    tokens, token_bytes = tokenizer.tokens("val"), tokenizer.token_bytes(device)
    rows = max(1, min(EVAL_TOKENS, len(tokens) - 1) // MAX_SEQ_LEN)
    starts = np.linspace(0, len(tokens) - 1 - MAX_SEQ_LEN, rows).astype(np.int64)
    nats = torch.zeros((), dtype=torch.float64, device=device)
    size = torch.zeros((), dtype=torch.int64, device=device)
    for i in range(0, rows, batch_size):
        x, y = rows_at(tokens, starts[i : i + batch_size], MAX_SEQ_LEN, device)
        loss = model(x, y, reduction="none").view(-1)
        nbytes = token_bytes[y.view(-1)]
        nats += (loss * (nbytes > 0)).sum(dtype=torch.float64)
        size += nbytes.sum()
    return nats.item() / (math.log(2) * size.item())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Prepares data and tokenizer for train.py.")
    parser.add_argument(
        "--source", default=default_source(), help="python, climbmix, or a folder or file of your own"
    )
    source = parser.parse_args().source
    prepare(source)
    if source != default_source():
        print(f"To train on it: AUTORESEARCH_SOURCE={source} python train.py")
