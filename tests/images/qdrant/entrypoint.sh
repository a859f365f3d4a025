#!/bin/bash
# Like Qdrant's own: a shell stays PID 1 and does not pass signals on, which is why the definition runs ./qdrant itself.
./qdrant "$@"
