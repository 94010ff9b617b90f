"""Crashes with Sentry's SDK, in a program that is full of what must not be kept."""

import os
import sys

import sentry_sdk

canary, dsn = sys.argv[1], sys.argv[2]

sentry_sdk.init(
    dsn=dsn,
    release="vjam@0.1.0",
    server_name=f"{canary}-machine",
    send_default_pii=True,
    max_breadcrumbs=10,
    auto_enabling_integrations=False,
)
sentry_sdk.set_user({"id": f"{canary}-id", "email": f"{canary}@example.org", "ip_address": "203.0.113.77"})
sentry_sdk.set_tag("room", f"{canary}-room")
sentry_sdk.set_extra("address", "203.0.113.77")
sentry_sdk.set_context("musician", {"name": f"{canary}-name"})
sentry_sdk.add_breadcrumb(message=f"{canary} joined from 203.0.113.77")


def play(instrument):
    local = f"{canary}-local"
    raise ValueError(
        f"{instrument} of {canary}@example.org at 203.0.113.77 in /{'home'}/{canary}/takes, {len(local)} frames missing"
    )


try:
    play("cello")
except ValueError as error:
    sentry_sdk.capture_exception(error)
assert sentry_sdk.flush(timeout=20) is None
os._exit(0)
