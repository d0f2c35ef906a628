"""
Data, tokenizer, dataloader and the metric. Fixed: experiments change train.py, never this file.

    python prepare.py                       # the default source: climbmix where there is CUDA, else python
    python prepare.py --source python       # text of this Python's own standard library: no download
    python prepare.py --source debian       # what packages put into /usr/share/doc; --install adds some
    python prepare.py --source climbmix     # parquet shards from the hub
    python prepare.py --source PATH         # your own folder or file: .parquet (a column `text`) or text
    python prepare.py audit model.pt        # a second held-out measure, which no search may look at

What was prepared lies under $AUTORESEARCH_CACHE (~/.cache/autoresearch-core), in a folder named for the
contents that went into it, so a second call is instant and two sources never mix. train.py takes
$AUTORESEARCH_SOURCE, or the same default as here.
"""

import argparse
import fcntl
import gzip
import hashlib
import html.parser
import json
import math
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import types
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def gpu_out_of_reach(devices=Path("/dev")):
    """Whether there is a GPU that this torch cannot use: the CPU's result would look like the GPU's."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return DEVICE == "cpu" and not hidden and any(devices.glob("nvidia[0-9]*"))


def choose_size():
    """Which column of the settings holds here: by the device's memory, or as $AUTORESEARCH_SIZE says."""
    sizes = ("cpu", "laptop", "small-gpu", "hopper")
    size = os.environ.get("AUTORESEARCH_SIZE")
    if not size and DEVICE == "cuda":
        memory = torch.cuda.get_device_properties(0).total_memory
        size = "hopper" if memory > 60 * 2**30 else "small-gpu"
    if not size and gpu_out_of_reach():
        sys.exit(
            f"There is an NVIDIA GPU that torch {torch.__version__} cannot use: built without CUDA, or the "
            f"driver is too old for CUDA {torch.version.cuda}. AUTORESEARCH_SIZE=cpu trains on the CPU."
        )
    size = size or {"mps": "laptop"}.get(DEVICE, "cpu")
    if size not in sizes:
        sys.exit(f'AUTORESEARCH_SIZE is one of {", ".join(sizes)}, not "{size}".')
    return size


SIZE = choose_size()


def setting(name, **by_size):
    """A whole number: $AUTORESEARCH_<name> if it is set, else by size."""
    default = by_size.get(SIZE.replace("-", "_"), by_size.get("other"))
    return int(os.environ.get(f"AUTORESEARCH_{name}", default))


# ---- What every experiment shares --------------------------------------------------------------------------

MAX_SEQ_LEN = setting("MAX_SEQ_LEN", cpu=256, laptop=512, small_gpu=1024, hopper=2048)  # tokens of context
TIME_BUDGET = setting("TIME_BUDGET", cpu=12, laptop=120, other=300)  # seconds of training, wall clock
EVAL_TOKENS = setting(
    "EVAL_TOKENS", cpu=2**16, laptop=2**19, small_gpu=2**21, hopper=40 * 2**19
)  # tokens of validation text in the metric
METRIC_VERSION = "raw-bytes-1"  # raise it when evaluate_bpb would give the same model another number

VOCAB_SIZE = setting("VOCAB_SIZE", cpu=1024, laptop=4096, other=8192)  # tokens, the document marker included
TOKENIZER_CHARS = setting(
    "TOKENIZER_CHARS", cpu=4_000_000, laptop=50_000_000, other=200_000_000
)  # characters the merges are learnt from
MAX_DOC_CHARS = 100_000  # characters kept of one document, so that none dominates
VAL_PERCENT = 8  # of documents, chosen by hash, where no shard is pinned for validation
AUDIT_PERCENT = 4  # the same for the audit
FORMAT = 2  # raise it when the prepared files would come out differently

# Letters with the sign before them, numbers by two digits, signs, line ends, other blanks.
SPLIT_PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

SHARDS = setting("SHARDS", other=10)  # training shards of climbmix
VAL_SHARD = "shard_06542.parquet"  # the last one, pinned for validation as in karpathy/autoresearch
AUDIT_SHARD = "shard_06541.parquet"  # the one before it, pinned for the audit, which alone downloads it
CLIMBMIX = "karpathy/climbmix-400b-shuffle"
DOWNLOAD_ATTEMPTS = 5
DOWNLOAD_WORKERS = 8

TEXT_SUFFIXES = {".py", ".md", ".rst", ".txt"}
TEXT_NAMES = ("README", "LICENSE", "COPYING")
# Installed packages differ from machine to machine, tests are often left out; encodings/ is tables.
SKIP_DIRS = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test", "encodings"}
DEBIAN_DOCS = Path("/usr/share/doc")
DEBIAN_SUFFIXES = {".txt", ".md", ".rst", ".html"}  # and the same with .gz
DEBIAN_NAMES = ("README", "NEWS", "changelog", "FAQ", "TODO")  # licences would be in every split
DEBIAN_LEAST_BYTES = 4_000_000
# No python3-doc: it would upgrade the Python that runs this.
DEBIAN_PACKAGES = ("linux-doc", "git-doc", "debian-reference-en", "debian-faq")


# ---- Where things are --------------------------------------------------------------------------------------


def cache_root():
    return Path(
        os.environ.get("AUTORESEARCH_CACHE") or Path.home() / ".cache" / "autoresearch-core"
    ).expanduser()


def default_source():
    return os.environ.get("AUTORESEARCH_SOURCE") or ("climbmix" if DEVICE == "cuda" else "python")


def is_text(name):
    return Path(name).suffix in TEXT_SUFFIXES or name.startswith(TEXT_NAMES)


def is_debian_text(name):
    plain = name.removesuffix(".gz")
    return Path(plain).suffix in DEBIAN_SUFFIXES or plain.startswith(DEBIAN_NAMES)


def text_files(root, wanted=is_text):
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in SKIP_DIRS and not name.startswith(".")]
        paths = [Path(folder, name) for name in names if wanted(name)]
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
    return found


def source_files(source):
    """(root, files) on this machine; of climbmix also the shards that were not downloaded yet."""
    if source == "python":
        root = Path(sysconfig.get_paths()["stdlib"])
        files = text_files(root)
    elif source == "debian":
        root = DEBIAN_DOCS
        files = text_files(root, is_debian_text)
        if sum(file.stat().st_size for file in files) < DEBIAN_LEAST_BYTES:
            sys.exit(
                f"{root} holds too little text. Documentation packages fill it: python prepare.py --source "
                f"debian --install, which is apt-get install {' '.join(DEBIAN_PACKAGES)}. If they are there, "
                "this image leaves documentation out: see path-exclude in /etc/dpkg/dpkg.cfg.d."
            )
    elif source == "climbmix":
        root = cache_root() / "shards"
        files = [root / f"shard_{i:05d}.parquet" for i in range(SHARDS)] + [root / VAL_SHARD]
    else:
        path = Path(source).expanduser().resolve()
        root = path if path.is_dir() else path.parent
        files = [path] if path.is_file() else list(path.rglob("*.parquet")) if path.is_dir() else []
        files = files or (text_files(path) if path.is_dir() else [])
    if not files:
        sys.exit(f'Source "{source}" has no text: expected python, debian, climbmix, or .parquet or text.')
    # The pinned shard first: a training document that is in it too is then the copy, and is left out.
    return root, sorted(
        set(files), key=lambda file: (file.name != VAL_SHARD, file.relative_to(root).as_posix())
    )


def install_debian_docs():
    """Installs DEBIAN_PACKAGES from the machine's own mirrors; with sudo, which may ask, unless it is root."""
    if shutil.which("apt-get") is None:
        sys.exit("--install needs apt-get: a Debian, Ubuntu or a relative. Choose another --source here.")
    apt = [*([] if os.geteuid() == 0 else ["sudo"]), "apt-get", "-q"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]):
        if subprocess.run([*apt, *words]).returncode != 0:
            sys.exit(f"{' '.join([*apt, *words])} failed; what it said stands above.")


def sha256_of(file):
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        while block := content.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def content_digests(files):
    """The sha256 of each file, "" for one that is not there; read once for a path, size and time."""
    memory = cache_root() / "digests.json"
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        known = {}
    digests, fresh = [], {}
    for file in files:
        if not file.exists():
            digests.append("")
            continue
        stat = file.stat()
        key = f"{file}:{stat.st_size}:{stat.st_mtime_ns}"
        if key not in known:
            fresh[key] = sha256_of(file)
        digests.append(known.get(key) or fresh[key])
    if fresh:
        memory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=memory.parent, delete=False) as unfinished:
            json.dump(known | fresh, unfinished)
        os.chmod(unfinished.name, 0o644)  # a cache may be shared
        os.replace(unfinished.name, memory)
    return digests


def prepared_dir(source):
    """The folder of this source's contents under these settings."""
    root, files = source_files(source)
    named = source in ("python", "debian", "climbmix")
    names = [file.relative_to(root).as_posix() for file in files]
    settings = [VOCAB_SIZE, TOKENIZER_CHARS, MAX_DOC_CHARS, VAL_PERCENT, AUDIT_PERCENT, SPLIT_PATTERN]
    listing = list(zip(names, content_digests(files), strict=True))
    key = hashlib.sha256(json.dumps([FORMAT, *settings, listing]).encode()).hexdigest()[:12]
    return cache_root() / f"{source if named else 'local'}-{key}"


# ---- Documents ---------------------------------------------------------------------------------------------


def download_shard(path):
    """From the hub, going on where an earlier download stopped, and checked against the hub's sha256."""
    if path.exists():
        return
    import huggingface_hub  # comes with tokenizers

    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        try:
            arriving = path.parent / "arriving"
            hub = {"repo_type": "dataset", "endpoint": os.environ.get("HF_ENDPOINT"), "local_dir": arriving}
            got = Path(huggingface_hub.hf_hub_download(CLIMBMIX, path.name, **hub))
            about = arriving / ".cache" / "huggingface" / "download" / f"{path.name}.metadata"
            expected = about.read_text().split()[1]  # commit, etag, time; a large file's etag is its sha256
            digest = sha256_of(got)
            if len(expected) == 64 and digest != expected:
                got.unlink()
                about.unlink()
                raise OSError(f"its sha256 is {digest}, not {expected}")
            os.replace(got, path)
            return
        except Exception as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (401, 403, 404) or attempt == DOWNLOAD_ATTEMPTS:
                sys.exit(f"Cannot download {path.name} of {CLIMBMIX}: {error}")
            print(f"  {path.name}, attempt {attempt} of {DOWNLOAD_ATTEMPTS}: {error}", flush=True)
            time.sleep(2**attempt)


def download_shards(files):
    files[0].parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(DOWNLOAD_WORKERS) as pool:
        list(shown(pool.map(download_shard, files), len(files), "shard"))


def shown(items, total, unit):
    """The items, with a progress bar where somebody watches."""
    from tqdm import tqdm  # comes with tokenizers

    return tqdm(items, total=total, unit=f" {unit}", disable=None, leave=False)


def text_of_html(page):
    """The text between the tags, without scripts and styles."""
    parts, hidden = [], []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, _):
            if tag in ("script", "style"):
                hidden.append(tag)

        def handle_endtag(self, tag):
            if hidden and tag == hidden[-1]:
                hidden.pop()

        def handle_data(self, data):
            if not hidden:
                parts.append(data)

    Reader().feed(page)
    return "".join(parts)


def read_texts(file):
    """The texts in a file, or nothing if it is not UTF-8."""
    if file.suffix == ".parquet":
        try:
            import pyarrow.parquet
        except ImportError:
            sys.exit("Reading .parquet needs pyarrow: pip install pyarrow")
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=1024, columns=["text"]):
            yield from (text for text in batch.column(0).to_pylist() if text)
        return
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        text = data.decode("utf-8")
    except (UnicodeDecodeError, OSError, EOFError):
        return
    yield text_of_html(text) if file.name.removesuffix(".gz").endswith(".html") else text


def document_hash(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def split_of(file, digest, pinned):
    if pinned:
        return {VAL_SHARD: "val", AUDIT_SHARD: "audit"}.get(file.name, "train")
    percent = int(digest, 16) % 100
    return "val" if percent < VAL_PERCENT else "audit" if percent < VAL_PERCENT + AUDIT_PERCENT else "train"


def documents(files, bar=lambda files: files):
    """(text, hash, split) of every distinct document, always in the same order and the same split."""
    seen = set()
    names = {file.name for file in files}
    pinned = VAL_SHARD in names or names == {AUDIT_SHARD}
    for file in bar(files):
        for text in read_texts(file):
            text = text[:MAX_DOC_CHARS]
            digest = document_hash(text)
            if digest in seen or not text.strip():
                continue
            seen.add(digest)
            yield text, digest, split_of(file, digest, pinned)


# ---- Tokenizer ---------------------------------------------------------------------------------------------


def learn_merges(files):
    """Byte-level BPE of training documents. The document marker is no part of it, so no text can spell it."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    def sample():
        left = TOKENIZER_CHARS
        for text, _, split in documents(files):
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
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - 1, initial_alphabet=alphabet, show_progress=sys.stderr.isatty()
    )
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
        if split not in ("train", "val"):
            raise ValueError(f'Training sees "train" and "val", not "{split}".')
        return np.memmap(self.directory / f"{split}.bin", dtype=np.uint16, mode="r")

    def data_id(self):
        """The folder's name and what its tokens hash to: results compare only where both are equal."""
        digests = "".join(self.manifest["sha256"].values())
        return f"{self.directory.name}/{hashlib.sha256(digests.encode()).hexdigest()[:8]}"

    def bpe(self):
        from tokenizers import Tokenizer as BPE  # not needed to train a model: its import costs start-up time

        return BPE.from_file(str(self.directory / "tokenizer.json"))

    def encode(self, text):
        return self.bpe().encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.bpe().decode([i for i in ids if i != self.bos_id])


# ---- Preparing ---------------------------------------------------------------------------------------------


def encoded(batches, bpe, bos_id):
    """(batch, tokens of each document), the marker before each. While one batch is encoded, on all cores, the
    next is read."""

    def encode(batch):
        texts = [text for text, *_ in batch]
        encodings = bpe.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array([bos_id, *encoding.ids], dtype=np.uint16) for encoding in encodings]

    with ThreadPoolExecutor(1) as pool:
        waiting = deque()
        for batch in batches:
            waiting.append((batch, pool.submit(encode, batch)))
            if len(waiting) > 2:
                batch, tokens = waiting.popleft()
                yield batch, tokens.result()
        for batch, tokens in waiting:
            yield batch, tokens.result()


def in_batches(items, size=512):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def write_tokens(files, bpe, bos_id, directory):
    """train.bin and val.bin, one run of uint16 each; and what is in them. The audit's documents stay out."""
    hashes, bytes_in, digests = (
        {split: start() for split in ("train", "val")} for start in (list, int, hashlib.sha256)
    )
    everything = documents(files, lambda files: shown(files, len(files), "file"))
    wanted = (document for document in everything if document[2] != "audit")
    with open(directory / "train.bin", "wb") as train, open(directory / "val.bin", "wb") as val:
        out = {"train": train, "val": val}
        for batch, tokens in encoded(in_batches(wanted), bpe, bos_id):
            for (text, digest, split), row in zip(batch, tokens, strict=True):
                out[split].write(row.tobytes())
                digests[split].update(row.tobytes())
                hashes[split].append(digest)
                bytes_in[split] += len(text.encode())
    return hashes, bytes_in, {split: digest.hexdigest() for split, digest in digests.items()}


def build(source, files, directory):
    started = time.time()
    bpe = learn_merges(files)
    vocab_size = bpe.get_vocab_size() + 1
    if vocab_size > 2**16:
        sys.exit(f"A vocabulary of {vocab_size} does not fit uint16.")
    bpe.save(str(directory / "tokenizer.json"))
    np.save(
        directory / "token_bytes.npy", np.array([len(b) for b in bytes_of_tokens(bpe)] + [0], dtype=np.int32)
    )
    print(f"Tokenizer: {vocab_size:,} tokens, learnt in {time.time() - started:.1f} s", flush=True)

    started = time.time()
    hashes, bytes_in, digests = write_tokens(files, bpe, vocab_size - 1, directory)
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
    _, files = source_files(source)
    if source == "climbmix" and not all(file.exists() for file in files):
        download_shards(files)
    directory = prepared_dir(source)
    if (directory / "manifest.json").exists():
        print(f"Ready: {directory}")
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the second waits for the first; a lock ends with its process
        if not (directory / "manifest.json").exists():
            print(f'Source "{source}": {len(files):,} files', flush=True)
            unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=directory.parent))
            try:
                build(source, files, unfinished)
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


def rows_at(tokens, starts, length):
    """Inputs and targets of `length` tokens from each start; the targets are the inputs one token later."""
    rows = torch.from_numpy(
        np.stack([tokens[start : start + length + 1] for start in starts]).astype(np.int64)
    )
    rows = rows.pin_memory().to(DEVICE, non_blocking=True) if DEVICE == "cuda" else rows.to(DEVICE)
    return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


def make_dataloader(tokenizer, B, T, split, seed=0, skip=0):
    """
    Endless (inputs, targets, epoch); an epoch deals out all rows of T tokens once, in a seeded order, and the
    cuts between rows move from epoch to epoch. After `skip` batches it goes on as if it had dealt them.
    """
    tokens = tokenizer.tokens(split)
    epoch, queue = 0, np.empty(0, dtype=np.int64)
    while True:
        while len(queue) < B:
            epoch += 1
            rng = np.random.default_rng([seed, epoch])
            offset = rng.integers(min(T, len(tokens) - T))
            queue = np.concatenate([queue, offset + T * rng.permutation((len(tokens) - 1 - offset) // T)])
        starts, queue = queue[:B], queue[B:]
        if skip > 0:
            skip -= 1
        else:
            yield *rows_at(tokens, starts, T), epoch


@torch.no_grad()
def bits_per_byte(model, tokens, token_bytes, length, batch_size, count):
    """
    The cross-entropy of `count` tokens over the raw bytes that they stand for. A document marker is no text
    and counts in neither sum. Rows of `length` tokens are spread evenly over all tokens, the same ones
    whatever the batch size; the last batch is filled with rows that do not count, so that all have one shape.
    """
    token_bytes = token_bytes.to(DEVICE)
    rows = max(1, min(count, len(tokens) - 1) // length)
    starts = np.linspace(0, len(tokens) - 1 - length, rows).astype(np.int64)
    nats, size = 0.0, 0
    for i in range(0, rows, batch_size):
        batch = starts[i : i + batch_size]
        filled = np.concatenate([batch, np.repeat(batch[-1:], batch_size - len(batch))])
        x, y = rows_at(tokens, filled, length)
        loss = model(x, y, reduction="none").view(batch_size, length)[: len(batch)].cpu()
        nbytes = token_bytes[y][: len(batch)].cpu()
        nats += (loss.double() * (nbytes > 0)).sum().item()
        size += nbytes.sum().item()
    return nats / (math.log(2) * size)


def evaluate_bpb(model, tokenizer, batch_size, count=EVAL_TOKENS):
    """The metric: bits per byte of validation text. Fewer tokens give an estimate."""
    tokens, token_bytes = tokenizer.tokens("val"), tokenizer.token_bytes()
    return bits_per_byte(model, tokens, token_bytes, MAX_SEQ_LEN, batch_size, count)


# ---- The audit ---------------------------------------------------------------------------------------------


def audit_tokens(tokenizer):
    """
    Text that is in no prepared file: it is read, downloaded if it must be, made tokens here, and they
    are forgotten when the process ends.
    """
    source = tokenizer.manifest["source"]
    _, files = source_files(source)
    if source == "climbmix":
        files = [files[0].parent / "audit" / AUDIT_SHARD]
        download_shards(files)
    used = json.loads((tokenizer.directory / "documents.json").read_text())
    used = {digest for digests in used.values() for digest in digests}
    held_out = (item for item in documents(files) if item[2] == "audit" and item[1] not in used)
    batches = encoded(in_batches(held_out), tokenizer.bpe(), tokenizer.bos_id)
    rows = [row for _, tokens in batches for row in tokens]
    if not rows:
        sys.exit(f'Source "{source}" has no document left for the audit.')
    return np.concatenate(rows)


def audit(path):
    """
    Bits per byte of a kept model (AUTORESEARCH_CHECKPOINT=model.pt python train.py) on the audit's text. Each
    look is written down: the more often it is looked at, the less it is held out.
    """
    checkpoint = torch.load(path, map_location=DEVICE, weights_only=True)
    if checkpoint["size"] != SIZE:
        sys.exit(f"{path} is of another size: set AUTORESEARCH_SIZE={checkpoint['size']}.")
    train = types.ModuleType("train")  # the very script that made it, whatever train.py says by now
    sys.modules["train"] = train  # where dataclasses look for their module
    sys.modules.setdefault("prepare", sys.modules[__name__])
    train.__file__ = str(path)
    exec(compile(checkpoint["train_py"], "train.py of the checkpoint", "exec"), train.__dict__)
    with torch.device(DEVICE):
        model = train.GPT(train.GPTConfig(**checkpoint["config"]))
    model.load_state_dict(checkpoint["model"])

    tokenizer = Tokenizer(cache_root() / checkpoint["data"])
    tokens = audit_tokens(tokenizer)
    length = checkpoint["config"]["sequence_len"]
    with train.autocast():
        bpb = bits_per_byte(
            model, tokens, tokenizer.token_bytes(), length, train.DEVICE_BATCH_SIZE, EVAL_TOKENS
        )
    record = {
        "data": tokenizer.data_id(),
        "train_sha256": hashlib.sha256(checkpoint["train_py"].encode()).hexdigest(),
        "val_bpb": checkpoint["val_bpb"],
        "audit_bpb": bpb,
        "metric_version": METRIC_VERSION,
    }
    looks = cache_root() / "audits.jsonl"
    with open(looks, "a") as file:
        file.write(json.dumps(record) + "\n")
    before = [json.loads(line)["data"] for line in looks.read_text().splitlines()].count(record["data"])
    print(f"audit_bpb: {bpb:.6f} on {len(tokens):,} tokens (val_bpb was {checkpoint['val_bpb']:.6f})")
    print(f"Look number {before} at the audit of {record['data']}; all are in {looks}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Prepares data and tokenizer for train.py; audits a model.")
    parser.add_argument("command", nargs="?", choices=["prepare", "audit"], default="prepare")
    parser.add_argument("checkpoint", nargs="?", help="for audit: what AUTORESEARCH_CHECKPOINT named")
    parser.add_argument(
        "--source", default=default_source(), help="python, debian, climbmix, or a folder or file of your own"
    )
    parser.add_argument("--install", action="store_true", help="for debian: install documentation packages first")
    arguments = parser.parse_args()
    if arguments.install and arguments.source != "debian":
        parser.error("--install goes with --source debian")
    if arguments.install:
        install_debian_docs()
    if arguments.command == "audit":
        if not arguments.checkpoint:
            parser.error("audit needs a model: AUTORESEARCH_CHECKPOINT=model.pt python train.py keeps one")
        audit(arguments.checkpoint)
    else:
        prepare(arguments.source)
        if arguments.source != default_source():
            print(f"To train on it: AUTORESEARCH_SOURCE={arguments.source} python train.py")
