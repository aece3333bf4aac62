"""RecTools' SASRec as a peer process, for benchmarks/train_peer.py: trains on the histories of a file, turn by turn.

Run by a Python of its own, in which RecTools and torch are installed, and nothing of this repository. Reads one line of
JSON (see `Asked` there), then trains one turn for every further line, and answers each with a line of JSON: seconds and
processor seconds of the turn, batches done, and batches an epoch.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

warnings.filterwarnings("ignore")


class Turn(Callback):
    """What the batches of an epoch take, without what Lightning does around them."""

    def on_train_epoch_start(self, *_):
        self.began, self.began_cpu = time.perf_counter(), time.process_time()

    def on_train_epoch_end(self, *_):
        self.seconds, self.cpu_seconds = time.perf_counter() - self.began, time.process_time() - self.began_cpu


def read_dataset(path):
    """The file's histories as RecTools reads interactions."""
    with np.load(path) as file:
        users, items = file["users"], file["items"]
    table = {
        Columns.User: users,
        Columns.Item: items,
        Columns.Weight: 1.0,
        Columns.Datetime: pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(users)), unit="s"),
    }
    return Dataset.construct(pd.DataFrame(table))


def main():
    """Answer until standard input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever libraries print
    asked = json.loads(sys.stdin.readline())
    torch.set_num_threads(asked["threads"])
    torch.manual_seed(0)
    turn = Turn()

    def trainer():
        return Trainer(
            max_epochs=1,
            limit_train_batches=asked["batches"] or 1.0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
            callbacks=[turn],
        )

    dataset = read_dataset(asked["histories"])
    model = SASRecModel(
        n_blocks=asked["layers"],
        n_heads=asked["heads"],
        n_factors=asked["dim"],
        dropout_rate=asked["dropout"],
        session_max_len=asked["max_history"],
        batch_size=asked["batch_size"],
        loss={"full": "softmax", "sampled": "sampled_softmax"}[asked["loss"]],
        n_negatives=asked["negatives"],
        get_trainer_func=trainer,
    )
    for _ in sys.stdin:
        model.fit_partial(dataset, min_epochs=1, max_epochs=1)
        turn_of_model = model.fit_trainer.callbacks[0]
        an_epoch = len(model.data_preparator.get_dataloader_train())
        answer = {
            "seconds": turn_of_model.seconds,
            "cpu_seconds": turn_of_model.cpu_seconds,
            "batches": min(asked["batches"] or an_epoch, an_epoch),
            "batches_an_epoch": an_epoch,
        }
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
