// Bundles entry.js as one classic script that sets `THREE`, beside three.js' licence and a record of what was built.
//
//   cd scripts/bundle_three && npm ci --ignore-scripts && npm run build
//
// The same versions give the same bytes; tests/stages/view/scene3d/test_three_bundle.py holds the record against the files.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const out = new URL("../../stages/view/scene3d/web/", here);
const versions = JSON.parse(readFileSync(new URL("package.json", here))).devDependencies;
const licence = readFileSync(new URL("node_modules/three/LICENSE", here), "utf8");

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("entry.js", here))],
  bundle: true,
  minify: true,
  write: false,
  format: "iife",
  globalName: "THREE",
  target: ["es2020"],
  charset: "ascii",
  legalComments: "none", // the licence stands beside the file, and the page says whose work it is
});
// Inside a page, `</script` would end the script, whatever JavaScript makes of it.
const text = `/*! three.js ${versions.three}, MIT licence, https://threejs.org */\n${outputFiles[0].text}`.replaceAll(
  "</script",
  "<\\/script",
);

const record = {
  three: versions.three,
  esbuild: versions.esbuild,
  bytes: Buffer.byteLength(text),
  sha256: createHash("sha256").update(text).digest("hex"),
  licence_sha256: createHash("sha256").update(licence).digest("hex"),
};
mkdirSync(out, { recursive: true });
writeFileSync(new URL("three.min.js", out), text);
writeFileSync(new URL("three.LICENSE.txt", out), licence);
writeFileSync(new URL("three.json", out), `${JSON.stringify(record, null, 2)}\n`);
console.log(`three.min.js: ${record.bytes} bytes, sha256 ${record.sha256}`);
