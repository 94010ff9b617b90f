import { defineConfig } from "vitest/config";

// Cross-origin isolation gives the audio worklet and the workers shared memory; `vjam serve` sends
// the same two headers.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// `npm run dev` serves the page, a `vjam serve` beside it the rest.
const server = process.env["VJAM_SERVER"] ?? "http://127.0.0.1:7880";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "dist",
    // The page's content security policy has no `data:`, and needs no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { headers, proxy: { "/api": { target: server, ws: true } } },
  preview: { headers },
  test: { environment: "node", include: ["{src,measure}/**/*.test.{ts,tsx}"] },
});
