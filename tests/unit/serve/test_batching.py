"""Requests that wait together are answered together, each with its own answer."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from serve.recommendations.batching import Batcher, OverloadedError
from tests.support.waiting import TIMEOUT_S


class Doubler:
    """Doubles numbers; holds the first batch until it is let go, and keeps the batches it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.first_started = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.first_started.set()
        self.go_on.wait(TIMEOUT_S)
        if 13 in numbers:
            raise ValueError("unlucky")
        return [2 * number for number in numbers]


def run_with_first_held(numbers: Sequence[int], doubler: Doubler, max_batch: int) -> list[int | BaseException]:
    """Submit the first number, the others while it is being computed, then let all go on."""

    async def submit_all() -> list[int | BaseException]:
        batcher = Batcher(doubler, max_batch)
        tasks = [asyncio.create_task(batcher.submit(numbers[0]))]
        await asyncio.to_thread(doubler.first_started.wait, TIMEOUT_S)
        tasks += [asyncio.create_task(batcher.submit(number)) for number in numbers[1:]]
        await asyncio.sleep(0)  # all are waiting now
        doubler.go_on.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        batcher.close()
        return answers

    return asyncio.run(submit_all())


def test_what_arrives_during_a_batch_makes_up_the_next() -> None:
    doubler = Doubler()
    assert run_with_first_held([1, 2, 3, 4], doubler, max_batch=8) == [2, 4, 6, 8]
    assert doubler.batches == [[1], [2, 3, 4]]


def test_no_batch_is_larger_than_allowed() -> None:
    doubler = Doubler()
    assert run_with_first_held([1, 2, 3, 4, 5, 6], doubler, max_batch=2) == [2, 4, 6, 8, 10, 12]
    assert doubler.batches == [[1], [2, 3], [4, 5], [6]]


def test_a_failure_reaches_the_requests_of_its_batch_alone() -> None:
    doubler = Doubler()
    answers = run_with_first_held([1, 13, 3, 4], doubler, max_batch=2)
    assert answers[0] == 2
    assert [str(answer) for answer in answers[1:3]] == ["unlucky", "unlucky"]
    assert answers[3] == 8


def test_a_client_that_leaves_disturbs_no_other() -> None:
    async def leave() -> int:
        doubler = Doubler()
        batcher = Batcher(doubler, 8)
        first = asyncio.create_task(batcher.submit(1))
        await asyncio.to_thread(doubler.first_started.wait, TIMEOUT_S)
        leaving, staying = (asyncio.create_task(batcher.submit(number)) for number in (2, 3))
        await asyncio.sleep(0)
        leaving.cancel()
        doubler.go_on.set()
        await first
        answer = await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving
        batcher.close()
        return answer

    assert asyncio.run(leave()) == 6


def test_requests_are_gathered_by_size() -> None:
    batches: list[list[int]] = []
    started, go_on = threading.Event(), threading.Event()

    def compute(sizes: Sequence[int]) -> list[int]:
        batches.append(list(sizes))
        started.set()
        go_on.wait(TIMEOUT_S)
        return list(sizes)

    async def submit_all() -> list[int | BaseException]:
        batcher = Batcher(compute, max_batch=5, max_waiting=20, size=lambda size: size)
        tasks = [asyncio.create_task(batcher.submit(1))]
        await asyncio.to_thread(started.wait, TIMEOUT_S)
        tasks += [asyncio.create_task(batcher.submit(size)) for size in (2, 3, 9, 4, 1, 2)]
        await asyncio.sleep(0)
        go_on.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        batcher.close()
        return answers

    # 19 of 20 wait: the last one, of size 2, is too much.
    answers = asyncio.run(submit_all())
    assert answers[:6] == [1, 2, 3, 9, 4, 1]
    assert isinstance(answers[6], OverloadedError)
    assert batches == [[1], [2, 3], [9], [4, 1]]


def test_a_large_request_is_not_refused_for_its_size() -> None:
    async def alone() -> int:
        batcher = Batcher(list, max_batch=2, max_waiting=3, size=lambda size: size)
        answer: int = await batcher.submit(100)
        batcher.close()
        return answer

    assert asyncio.run(alone()) == 100


def test_an_answer_that_is_an_exception_is_raised_for_its_request_alone() -> None:
    async def submit_all() -> list[object]:
        batcher: Batcher[int, int] = Batcher(
            lambda numbers: [ValueError("odd") if number % 2 else number for number in numbers], 8
        )
        answers = await asyncio.gather(*(batcher.submit(number) for number in range(4)), return_exceptions=True)
        batcher.close()
        return list(answers)

    answers = asyncio.run(submit_all())
    assert (answers[0], answers[2]) == (0, 2)
    assert [str(answer) for answer in answers[1::2]] == ["odd", "odd"]
