"""The allocator's bounds, on the C library that this interpreter runs on."""

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import embserver
from embserver import heap

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these controls")

SCRIPT = """
import ctypes, io, os, re, sys, threading
from embserver import heap
print(heap.bound_arenas(os.environ))
started, done = threading.Barrier(9), threading.Event()
def allocate():
    block = [bytes(50_000) for _ in range(20)]
    started.wait()
    done.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
started.wait()
library = ctypes.CDLL(None)
library.malloc_stats()
done.set()
"""


@needs_glibc
@pytest.mark.parametrize(("variables", "bounded"), [({}, True), ({"MALLOC_ARENA_MAX": "7"}, False)])
def test_threads_share_two_heaps_unless_the_environment_says_otherwise(
    variables: dict[str, str],
    bounded: bool,
) -> None:
    environment = {"PYTHONPATH": str(Path(embserver.__file__).parent.parent), "PYTHONMALLOC": "malloc", **variables}

    ran = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == str(bounded)
    arenas = ran.stderr.count("Arena ")
    assert arenas <= heap.ARENAS if bounded else arenas > heap.ARENAS


LARGE_BLOCKS = """
import ctypes, os
from embserver import heap
print(heap.map_large(os.environ))
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.free(library.malloc(3 * heap.LARGE))
library.malloc(2 * heap.LARGE)
library.malloc_stats()
"""


@needs_glibc
@pytest.mark.parametrize(
    ("variables", "mapped"), [({}, True), ({"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TOP_PAD_": "0"}, False)]
)
def test_large_blocks_are_mapped_apart_however_many_were_freed(variables: dict[str, str], mapped: bool) -> None:
    environment = {"PYTHONPATH": str(Path(embserver.__file__).parent.parent), **variables}

    ran = subprocess.run(
        [sys.executable, "-c", LARGE_BLOCKS], env=environment, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == str(mapped)
    at_most = max(int(line.split("=")[1]) for line in ran.stderr.splitlines() if line.startswith("max mmap bytes"))
    in_use = int(ran.stderr.rpartition("in use bytes")[2].split("=")[1].split()[0])
    assert (at_most >= 3 * heap.LARGE, in_use >= 2 * heap.LARGE) == (mapped, True)


FREE_END = """
import ctypes, os
from embserver import heap
print(heap.keep_free(os.environ))
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
blocks = [library.malloc(100_000) for _ in range(30)]
for block in blocks:
    library.free(block)
library.malloc_stats()
print(heap.trim())
library.malloc_stats()
"""


@needs_glibc
@pytest.mark.parametrize(("variables", "kept"), [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "100000"}, False)])
def test_the_free_end_of_a_heap_stays_until_memory_is_given_back(variables: dict[str, str], kept: bool) -> None:
    environment = {"PYTHONPATH": str(Path(embserver.__file__).parent.parent), **variables}

    ran = subprocess.run([sys.executable, "-c", FREE_END], env=environment, capture_output=True, text=True, check=True)

    sizes = [int(line.split("=")[1]) for line in ran.stderr.splitlines() if line.startswith("system bytes")]
    # The first arena's and the total, before and after.
    before, after = sizes[0], sizes[2]
    assert ran.stdout.split()[0] == str(kept)
    assert (before - after >= 2_500_000) == kept


@needs_glibc
def test_free_memory_in_the_midst_of_the_heap_is_given_back() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    # Below the size from which blocks are mapped on their own; every other one stays, so the heap cannot shrink.
    blocks = [library.malloc(100_000) for _ in range(400)]
    for block in blocks[::2]:
        ctypes.memset(block, 1, 100_000)
        library.free(block)
    try:
        assert heap.trim()
    finally:
        for block in blocks[1::2]:
            library.free(block)


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_glibc", lambda: None)

    assert not heap.bound_arenas({})
    assert not heap.map_large({})
    assert not heap.keep_free({})
    assert not heap.trim()
