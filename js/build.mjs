// Bundles each widget into mlnb/widgets/static. The outputs are committed and unminified, so that
// neither a wheel nor an editable install needs node, and anyone can read what runs in the page.
//
//   node build.mjs            writes the bundles
//   node build.mjs --check    fails with one line where a committed bundle is not what the sources give
import { build } from "esbuild";
import { readFile, writeFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "mlnb", "widgets", "static");
const widgets = ["embedding_map", "evaluation_report", "graph_viewer", "image_grid", "prediction_panel", "tensor_table", "text_table", "training_monitor"];
const bundled = { graph_viewer: ["@dagrejs/dagre", "@dagrejs/graphlib"], training_monitor: ["uplot"] };
const common = {
  bundle: true,
  write: false,
  absWorkingDir: here,
  charset: "utf8",
  target: "es2022",
  legalComments: "inline",
  logLevel: "error",
};

// A worker needs its program as text, a page without workers needs the same program as code. Turned
// into one self-contained function it serves as both: the page starts a worker from its toString().
const selfContainedWorker = {
  name: "self-contained-worker",
  setup({ onLoad }) {
    onLoad({ filter: /\.worker\.ts$/ }, async ({ path }) => {
      const program = await build({
        ...common,
        entryPoints: [path],
        format: "iife",
        globalName: "program",
        legalComments: "none",
      });
      const code = program.outputFiles[0].text;
      return { contents: `export function serve(scope) {\n${code}\nprogram.serve(scope);\n}`, loader: "js" };
    });
  },
};

async function notice(name) {
  const folder = join(here, "node_modules", name);
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const licence = (await readFile(join(folder, "LICENSE"), "utf8")).trim();
  return `/*!\n${name} ${version} (MIT), bundled below\n\n${licence}\n*/`;
}

async function bundle(widget) {
  const licences = await Promise.all((bundled[widget] ?? []).map(notice));
  const script = await build({
    ...common,
    entryPoints: [`src/${widget}/index.ts`],
    format: "esm",
    banner: { js: ["/*! mlnb: built by js/build.mjs from js/src. MIT. */", ...licences].join("\n") },
    plugins: [selfContainedWorker],
  });
  const style = await build({ ...common, entryPoints: [`src/${widget}/style.css`] });
  return [
    [`${widget}.js`, script.outputFiles[0].text],
    [`${widget}.css`, style.outputFiles[0].text],
  ];
}

const outputs = (await Promise.all(widgets.map(bundle))).flat();
if (process.argv.includes("--check")) {
  const stale = [];
  for (const [name, text] of outputs) {
    const committed = await readFile(join(target, name), "utf8").catch(() => null);
    if (committed !== text) stale.push(name);
  }
  if (stale.length > 0) {
    console.error(`mlnb/widgets/static is stale (${stale.join(", ")}): run "node build.mjs" in js/ and commit`);
    process.exit(1);
  }
  console.log(`${outputs.length} bundles are what js/src gives`);
} else {
  await mkdir(target, { recursive: true });
  for (const [name, text] of outputs) {
    await writeFile(join(target, name), text);
    console.log(`${name}  ${(text.length / 1000).toFixed(0)} kB`);
  }
}
