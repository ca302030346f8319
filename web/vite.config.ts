import { defineConfig } from "vite";

// One script and one style sheet, which build/template.mjs puts into the page.
export default defineConfig({
  build: {
    target: "es2022",
    outDir: "dist",
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    reportCompressedSize: false,
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
