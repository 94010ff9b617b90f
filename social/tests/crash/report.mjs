// Crashes with Sentry's SDK for Node, in a program that is full of what must not be kept.

import * as Sentry from "@sentry/node";

const [canary, dsn] = process.argv.slice(2);

Sentry.init({
  dsn,
  release: "vjam-web@0.1.0",
  serverName: `${canary}-machine`,
  sendDefaultPii: true,
  environment: "test",
});
Sentry.setUser({ id: `${canary}-id`, email: `${canary}@example.org`, ip_address: "203.0.113.77" });
Sentry.setTag("room", `${canary}-room`);
Sentry.setExtra("address", "203.0.113.77");
Sentry.addBreadcrumb({ message: `${canary} joined from 203.0.113.77` });

function play(instrument) {
  throw new RangeError(`${instrument} of ${canary}@example.org at 203.0.113.77 in /${"home"}/${canary}/takes`);
}

try {
  play("cello");
} catch (error) {
  Sentry.captureException(error);
}
process.exit((await Sentry.flush(20_000)) ? 0 : 1);
