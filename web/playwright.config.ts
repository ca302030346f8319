import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// A browser of the system where there is one: playwright's own has to be downloaded.
const installed = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));
const executablePath = process.env["CHROMIUM"] ?? installed;

export default defineConfig({
  testDir: "e2e",
  workers: 1,
  timeout: 60_000,
  outputDir: "test-results/runs",
  use: {
    viewport: { width: 1400, height: 900 },
    launchOptions: { ...(executablePath === undefined ? {} : { executablePath }), args: ["--no-sandbox"] },
  },
});
