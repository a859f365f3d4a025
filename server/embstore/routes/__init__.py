"""The REST API, one module a resource; each handler is a plain function that runs in a worker thread."""
