"""Calling MXNet where it cannot hurt: it damages its memory at times, and then refuses the next cases or aborts."""

import os
import pickle


def in_child(do):
    """What `do()` gives in a process of its own; None if that crashes. What it raises has to be caught in `do`."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        result = do()
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(text) if text else None
