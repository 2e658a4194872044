import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const compressible = /\.(css|html|js|svg|ttf)$/;

// A .gz beside every text file: the gateway answers it as is, so that serving the page costs no CPU.
function precompress() {
  let folder;
  return {
    name: "precompress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !compressible.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  // Relative addresses: the page also works behind a proxy that serves it under a prefix.
  base: "./",
  build: {
    outDir: "../gateway/static/ide",
    emptyOutDir: true,
    target: "es2022",
    // Monaco alone is above the default; the page is for people at a desk, loaded once and cached.
    chunkSizeWarningLimit: 4000,
    // No inlined assets: a data: address would need a wider content security policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      // "use client" means nothing in a page without a server part; libraries carry it by the dozen.
      onwarn: (warning, report) => warning.code === "MODULE_LEVEL_DIRECTIVE" || report(warning),
    },
  },
  worker: { format: "es" },
  plugins: [precompress()],
  server: { proxy: { "/graphql": "http://127.0.0.1:8000", "/ide": "http://127.0.0.1:8000" } },
});
