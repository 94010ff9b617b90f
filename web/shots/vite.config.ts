// Builds the app for screenshots: the same pages, with a sound that plays nothing and reports
// numbers, so that a room of eight can be looked at without eight musicians.

import { resolve } from "node:path";

import { defineConfig, mergeConfig } from "vite";

import base from "../vite.config.ts";

export default mergeConfig(
  base,
  defineConfig({
    root: resolve(import.meta.dirname, ".."),
    build: { outDir: resolve(import.meta.dirname, "../node_modules/.shots"), emptyOutDir: true },
    resolve: {
      alias: [{ find: "../audio/jam_audio", replacement: resolve(import.meta.dirname, "silent_audio.ts") }],
    },
  }),
);
