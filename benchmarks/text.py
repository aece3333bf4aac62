"""Text encoding against a plain padded loop over the same texts, in one run: items a second and the ratio.

    python benchmarks/text.py [--prepared data/prepared/NAME] [--encoder NAME] [--items 1000] [--max-tokens 64]

The peer is what one would write first: a tf.function in float32, 32 texts at a time in the order of the
file, each padded to --max-tokens, duplicates included. Both start from a loaded model and tokenise, trace and
pool; ours also writes its cache. The ratio of processor time is steadier than that of elapsed time where the
machine does other work. Without --prepared the texts are those of the generated sample.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401, I001 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf
from transformers import TFAutoModel

from recsys.config import TextConfig, parse_config
from recsys.core.types import Float32Array
from recsys.prepare import columns as c
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.sample import write_sample
from recsys.text.choices import EncoderFiles, choose_encoder
from recsys.text.encoder import TextEncoder, load_tokenizer, masked_mean, uses_bfloat16
from recsys.text.items import fill, open_cache

PEER_BATCH = 32
Timed = tuple[Float32Array, float, float]  # vectors [N, E], elapsed seconds, processor seconds


def sample_texts(folder: Path) -> list[str]:
    """Item texts of the generated sample, prepared in `folder`."""
    write_sample(folder)
    data = {
        "format": "amazon_2018",
        "interactions": [folder / "reviews_sample.json.gz"],
        "metadata": [folder / "meta_sample.json.gz"],
        "prepared_dir": folder / "prepared",
    }
    return prepared_texts(prepare(parse_config({"name": "sample", "data": data}, "the benchmark")))


def prepared_texts(folder: Path) -> list[str]:
    """Item texts of a prepared dataset."""
    return list(PreparedDataset.load(folder).items[c.TEXT].fillna(""))


def plain_loop(texts: Sequence[str], files: EncoderFiles, max_tokens: int) -> Timed:
    """The peer."""
    tokenizer = load_tokenizer(files)
    model = TFAutoModel.from_pretrained(files.folder, local_files_only=True)

    @tf.function(reduce_retracing=True)
    def forward(ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return masked_mean(model(input_ids=ids, attention_mask=mask, training=False).last_hidden_state, mask)

    start, cpu, vectors = time.perf_counter(), time.process_time(), []
    for first in range(0, len(texts), PEER_BATCH):
        some = list(texts[first : first + PEER_BATCH])
        tokens = tokenizer(some, truncation=True, max_length=max_tokens, padding="max_length", return_tensors="np")
        vectors.append(forward(tokens["input_ids"], tokens["attention_mask"]).numpy())
    return np.concatenate(vectors), time.perf_counter() - start, time.process_time() - cpu


def ours(texts: Sequence[str], files: EncoderFiles, config: TextConfig) -> Timed:
    """Ours: distinct texts, sorted batches, reduced precision, cache."""
    encoder = TextEncoder(files, config)
    cache = open_cache(files, config, "benchmark")
    start, cpu = time.perf_counter(), time.process_time()
    keys = fill(
        cache,
        texts,
        lambda some: encoder.pooled(some, [files.n_layers]),
        console=Console(quiet=True),
    )
    values = cache.get([key for key in keys if key])
    zero = bytes(4 * files.dim)
    vectors = np.stack([np.frombuffer(values[key] if key else zero, np.float32) for key in keys])
    return vectors, time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", type=Path, help="folder of a prepared dataset")
    parser.add_argument("--encoder", action="append", help="as in text.encoder; may be repeated")
    parser.add_argument("--items", type=int, default=1000, help="texts, drawn with a fixed seed where there are more")
    parser.add_argument("--max-tokens", type=int, default=64)
    arguments = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        texts = prepared_texts(arguments.prepared) if arguments.prepared else sample_texts(Path(folder))
        if len(texts) > arguments.items:
            chosen = np.random.default_rng(0).choice(len(texts), arguments.items, replace=False)
            texts = [texts[i] for i in sorted(chosen)]
        settings = {"cache_dir": Path(folder) / "cache", "max_tokens": arguments.max_tokens}
        config = TextConfig(**settings, **({"encoder": arguments.encoder} if arguments.encoder else {}))
        files = choose_encoder(config, console)
        peer_vectors, peer_s, peer_cpu = plain_loop(texts, files, config.max_tokens)
        our_vectors, our_s, our_cpu = ours(texts, files, config)
    norms = np.linalg.norm(peer_vectors, axis=1) * np.linalg.norm(our_vectors, axis=1)
    cosines = (peer_vectors * our_vectors).sum(axis=1)[norms > 0] / norms[norms > 0]
    precision = "bfloat16" if uses_bfloat16(config.precision) else "float32"
    table = Table(
        title=f"{len(texts)} texts ({len(set(texts))} distinct), at most {config.max_tokens} tokens, {files.name}"
    )
    for column in ("method", "seconds", "items/s", "ratio", "CPU s", "CPU ratio"):
        table.add_column(column, justify="left" if column == "method" else "right")
    runs = (("plain padded loop, float32", peer_s, peer_cpu), (f"recsys.text, {precision}", our_s, our_cpu))
    for label, elapsed, cpu in runs:
        figures = (elapsed, len(texts) / elapsed, peer_s / elapsed, cpu, peer_cpu / cpu)
        table.add_row(label, *(f"{figure:.2f}" for figure in figures))
    console.print(table)
    console.print(f"smallest cosine between the two methods' vectors: {cosines.min():.5f}")


if __name__ == "__main__":
    main()
