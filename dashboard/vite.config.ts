import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// `npm run dev` answers /ui/ itself and asks this server for everything else.
const server = process.env["RECSYS_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/ui/",
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      "@": here("./src"),
      // Radix' scroll lock writes a style element into the page, which the server's Content-Security-Policy forbids.
      "react-remove-scroll": here("./src/components/ScrollLock.tsx"),
    },
  },
  build: {
    outDir: here("../serve/dashboard/static"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    modulePreload: { polyfill: false },
    // Of the packages whose code is in the scripts: their licences ask to be passed on with it.
    license: { fileName: "licenses.txt" },
  },
  server: {
    proxy: {
      "^/(?!ui/(?!settings\\.json)).*": { target: server },
    },
  },
  test: {
    environment: "jsdom",
    // One browser for all files: to make one for each takes ten times as long as the tests.
    pool: "threads",
    isolate: false,
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
