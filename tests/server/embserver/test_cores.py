"""Cores among threads that compute: each its share, whoever comes and goes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from embserver import loading
from embserver.catalogue import resolve
from embserver.cores import STREAMS, Cores
from embserver.settings import Settings
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint


@contextmanager
def threads(count: int) -> Iterator[list[ThreadPoolExecutor]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(count)]


@pytest.mark.parametrize(("cores", "shares"), [(1, [1]), (2, [1, 1]), (3, [1, 2]), (8, [4, 4]), (9, [4, 5])])
def test_all_cores_are_shared_between_the_threads_that_compute(cores: int, shares: list[int]) -> None:
    used: dict[int, int] = {}
    shared = Cores(cores, STREAMS, lambda count: used.update({threading.get_ident(): count}))
    assert shared.streams == len(shares)

    with threads(len(shares)) as pools:
        idents = [pool.submit(threading.get_ident).result() for pool in pools]
        computing = [shared.computing() for _ in pools]
        share = [pool.submit(block.__enter__).result() for pool, block in zip(pools, computing, strict=True)]
        for pool, call in zip(pools, share, strict=True):
            pool.submit(call).result()
        assert [used[ident] for ident in idents] == shares

        for pool, block in zip(pools[1:], computing[1:], strict=True):
            pool.submit(block.__exit__, None, None, None).result()
        pools[0].submit(share[0]).result()
        assert used[idents[0]] == cores


def test_a_computation_inside_another_takes_no_share_of_its_own() -> None:
    told: list[int] = []
    shared = Cores(4, STREAMS, told.append)

    with shared.computing(), shared.computing():
        pass
    with shared.computing() as share:
        share()

    assert told == [4]


def test_what_fails_gives_its_cores_back() -> None:
    told: list[int] = []
    shared = Cores(4, STREAMS, told.append)
    with pytest.raises(ArithmeticError), shared.computing():
        raise ArithmeticError

    def compute() -> None:
        with shared.computing():
            pass

    with threads(1) as (other,):
        other.submit(compute).result()
    assert told == [4, 4]


def test_texts_in_two_streams_at_once_have_the_vectors_that_they_have_alone(tmp_path: Path) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    encoder = loading.load(folder, "", resolve(str(folder), ""), Settings(threads=2, device="cpu")).encoder
    generator = torch.Generator().manual_seed(1)
    batches = [
        [torch.randint(5, shape.vocabulary, (length,), generator=generator).tolist() for length in lengths]
        for lengths in ((30, 7, 1, 90), (64, 64, 3), (120,), (9, 8, 7, 6, 5))
    ] * 5
    alone = [encoder.encode(batch) for batch in batches]

    assert encoder.streams == 2
    with ThreadPoolExecutor(encoder.streams) as pool:
        together = list(pool.map(encoder.encode, batches))

    for one, other in zip(alone, together, strict=True):
        assert np.abs(one - other).max() < 1e-5
