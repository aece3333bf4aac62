"""How benchmarks/train_peer.py talks with a peer, and what it makes of its answers."""

import sys
from pathlib import Path

import pytest

from benchmarks import train_peer
from benchmarks.train_peer import Asked, Peer, Turn, row

ASKED = Asked("histories.npz", "full", 128, 4, 2, 128, 2, 4, 50, 0.5, 128)
# Answers each turn with what it was told first: seconds are the layers, batches those asked for.
FAKE = """
import json, sys
asked = json.loads(sys.stdin.readline())
for line in sys.stdin:
    answer = {"seconds": asked["layers"], "cpu_seconds": 3.0, "batches": asked["batches"], "batches_an_epoch": 100}
    print(json.dumps(answer), flush=True)
"""


def test_an_epoch_is_told_from_some_of_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "fake.py"
    fake.write_text(FAKE)
    monkeypatch.setattr(train_peer, "PEER", fake)
    peer = Peer(Path(sys.executable), ASKED)
    turns = [peer.turn(), peer.turn()]
    peer.close()
    assert turns == [Turn(2, 3.0, 4, 100)] * 2
    assert (turns[0].epoch, turns[0].cpu_epoch) == (50.0, 75.0)
    ours = [Turn(1.0, 1.0, 10, 90), Turn(9.0, 9.0, 10, 90), Turn(2.0, 2.0, 10, 90)]  # one turn was disturbed
    assert row("full", "ours", ours, turns) == ["full", "ours", "90", "18.0", "18.0", "0.24"]


def test_a_peer_that_cannot_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "fake.py"
    fake.write_text("import no_such_module_at_all\n")
    monkeypatch.setattr(train_peer, "PEER", fake)
    peer = Peer(Path(sys.executable), ASKED)
    with pytest.raises(SystemExit, match=r"fake.py ended with exit code 1"):
        peer.turn()
