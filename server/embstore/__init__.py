"""A single-node vector database: the Qdrant Edge engine behind the part of Qdrant's REST API that code indexers use.

    __main__ -> app -> routes -> (requests, filters, config, indexes) -> store -> collection -> edge

`edge` alone touches the engine; `routes` alone know the shapes of the REST API; nothing here knows embctl.
"""
