// Bundles the report into the Python package, which embeds the two files in every page it writes.
import { build } from "esbuild";

const out = new URL("../src/quantvista/reporting/_assets/", import.meta.url).pathname;

await build({
  entryPoints: { report: "src/report/main.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome123", "firefox121", "safari17.5"],
  legalComments: "inline",
  charset: "utf8",
  logLevel: "warning",
});
