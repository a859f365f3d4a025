"""The benchmark of the embedding servers, on a tiny model and our server alone: that it runs, not how fast."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads its figures from /proc")
def test_the_benchmark_measures_our_server(tmp_path: Path) -> None:
    figures, chart = tmp_path / "figures.json", tmp_path / "chart.svg"
    script = ROOT / "benchmarks" / "embedding_servers.py"
    command = [sys.executable, str(script), "--quick", "--only", "ours", "--cache", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, "--json", str(figures), "--chart", str(chart)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (ours,) = json.loads(figures.read_text(encoding="utf-8"))["servers"]
    (only,) = ours["rounds"]
    assert ours["refusals"] == []
    assert only["texts"] == 12
    assert len(only["idle_searches"]) == 20
    assert min(only["seconds"], only["cpu_seconds"], only["burst_mb"], only["reindex_tokens_per_second"]) > 0
    assert only["halted_seconds"] >= 0
    ceiling = only["ceiling"]
    assert min(ceiling["sustained_gflops"], ceiling["streams_gflops"]) > 0
    assert max(ceiling["sustained_gflops"], ceiling["streams_gflops"]) <= ceiling["best_gflops"]
    assert 0 < ours["shares_of_sustained_gemm"][0] < 1
    assert "ours" in done.stdout
    assert ET.parse(chart).getroot().tag.endswith("svg")  # noqa: S314 - our own file
