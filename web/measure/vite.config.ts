// Builds the measuring page instead of the app, and serves it beside a running `vjam serve`.

import { resolve } from "node:path";

import { defineConfig, mergeConfig } from "vite";

import base from "../vite.config.ts";

const target = process.env["VJAM_SERVER"] ?? "http://127.0.0.1:7880";

export default mergeConfig(
  base,
  defineConfig({
    root: import.meta.dirname,
    build: { outDir: resolve(import.meta.dirname, "../node_modules/.measure"), emptyOutDir: true },
    preview: { host: "127.0.0.1", proxy: { "/api": { target, ws: true } } },
  }),
);
