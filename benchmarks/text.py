"""Text encoding in each precision against a plain padded loop over the same texts, in one run: items/s and ratios.

    python benchmarks/text.py [--prepared data/prepared/NAME] [--encoder NAME] [--items 1000] [--max-tokens 64]

The peer is what one would write first: a tf.function in float32, 32 texts at a time in the order of the
file, each padded to --max-tokens, duplicates included. All start from a loaded model and tokenise, trace and
pool; ours also write a cache. The ratio of processor time is steadier than that of elapsed time where the
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
from recsys.text.items import Batches, fill, open_cache
from recsys.train.int8_encoder import int8_encoder

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


def ours(texts: Sequence[str], files: EncoderFiles, config: TextConfig) -> Timed | None:
    """Ours: distinct texts, sorted batches, reduced precision, cache; None where the precision is not used."""
    precision = None
    if config.precision == "int8":
        encoder = int8_encoder(files, config, texts, Console())
        if encoder is None or not encoder.close:
            return None
        pooled, precision = encoder.pooled, encoder.label
    else:
        loaded = TextEncoder(files, config)

        def pooled(some: Sequence[str]) -> Batches:
            return loaded.pooled(some, [files.n_layers])

    cache = open_cache(files, config, "benchmark", precision)
    start, cpu = time.perf_counter(), time.process_time()
    keys = fill(cache, texts, pooled, console=Console(quiet=True))
    values = cache.get([key for key in keys if key])
    zero = bytes(4 * files.dim)
    vectors = np.stack([np.frombuffer(values[key] if key else zero, np.float32) for key in keys])
    return vectors, time.perf_counter() - start, time.process_time() - cpu


def smallest_cosine(one: Float32Array, other: Float32Array) -> float:
    """Of the vectors of a text, among texts that have any."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1)[norms > 0] / norms[norms > 0]).min())


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
        peer = plain_loop(texts, files, config.max_tokens)
        runs = [("plain padded loop, float32", peer)]
        for precision in ("float32", "bfloat16", "int8"):
            if precision == "bfloat16" and not uses_bfloat16("auto"):
                continue
            timed = ours(texts, files, config.model_copy(update={"precision": precision}))
            if timed is not None:
                runs.append((f"recsys.text, {precision}", timed))
    table = Table(
        title=f"{len(texts)} texts ({len(set(texts))} distinct), at most {config.max_tokens} tokens, {files.name}"
    )
    for column in ("method", "seconds", "items/s", "ratio", "CPU s", "CPU ratio", "cosine"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for label, (vectors, elapsed, cpu) in runs:
        figures = (elapsed, len(texts) / elapsed, peer[1] / elapsed, cpu, peer[2] / cpu)
        cosine = smallest_cosine(vectors, peer[0])
        table.add_row(label, *(f"{figure:.2f}" for figure in figures), f"{cosine:.5f}")
    console.print(table)
    console.print("cosine: the smallest with the vector that the plain loop gives the text")


if __name__ == "__main__":
    main()
