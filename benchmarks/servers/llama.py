"""`python -m servers.llama FILE PORT THREADS`: llama.cpp's own server out of its wheel, as its users start it."""

import signal
import sys

import xllamacpp


def main() -> None:
    """Serve until told to end."""
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.port = int(sys.argv[2])
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[3])
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_gpu_layers = 0
    params.fit_params = False
    # A text has to fit into one batch, and every slot has to hold the longest text.
    params.n_parallel = 4
    params.n_ctx = 4 * 8192
    params.n_batch = params.n_ubatch = 8192
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
