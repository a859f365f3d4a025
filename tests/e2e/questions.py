"""What somebody new to this project asks in plain words, and the files that answer; finding any of them is a hit."""

__all__ = ["QUESTIONS"]

QUESTIONS: dict[str, frozenset[str]] = {
    "where is a taken port detected?": frozenset({"src/embctl/engine/ports.py", "src/embctl/conflicts.py"}),
    "which exit code tells that no container engine answers?": frozenset(
        {"src/embctl/errors.py", "docs/exit-codes.md"}
    ),
    "who waits when two embctl change the same project at once?": frozenset({"src/embctl/flows/locking.py"}),
    "how are environment variables substituted in a compose file?": frozenset(
        {"src/embctl/compose/variables.py", "src/embctl/compose/value.py"}
    ),
    "how does embctl find the docker socket or context to talk to?": frozenset(
        {"src/embctl/engine/connect.py", "src/embctl/engine/candidates.py"}
    ),
    "how are search filters on the payload translated for the database engine?": frozenset(
        {"server/embstore/filters.py", "server/embstore/edge/conditions.py"}
    ),
    "when is a service ready, and how long is it waited for?": frozenset(
        {"src/embctl/ready.py", "src/embctl/flows/readiness.py"}
    ),
    "where is the embedding model downloaded from the hub?": frozenset(
        {"server/embserver/hub.py", "server/embserver/fetch.py"}
    ),
    "how does attention get its linear position bias (ALiBi)?": frozenset(
        {"server/embserver/alibi.py", "server/embserver/jinabert.py"}
    ),
    "what happens to a running container when its definition changes?": frozenset(
        {"src/embctl/reconcile.py", "docs/architecture.md"}
    ),
}
