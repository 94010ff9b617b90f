"""What Schemathesis is told of the server that it asks: which things there are, and how an envelope is sent."""

import json
import os
import random

import schemathesis

# By the name of a path's parameter: ids of things that are there.
THERE = json.loads(os.environ.get("VJAM_TEST_THERE", "{}"))
chance = random.Random(20261128)


@schemathesis.serializer("application/x-sentry-envelope")
def envelope(context, value):
    """Sends what was made up as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for what is there two times of three, where an id is as it must be: one made up is never there."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    for name in case.path_parameters or {}:
        if name in THERE and chance.random() < 2 / 3:
            case.path_parameters[name] = chance.choice(THERE[name])
