// Makes data/viewer.html of what vite built: one file, whose script and style lie in it, and which may load nothing. With
// --check it says whether the file that is there is that one.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const target = new URL("../data/viewer.html", root);

function read(folder, ending) {
  const names = readdirSync(new URL(folder, root)).filter((name) => name.endsWith(ending));
  if (names.length !== 1) throw new Error(`expected one ${ending} in ${folder}, found ${names.length}`);
  return readFileSync(new URL(folder + names[0], root), "utf8").trim();
}

function hash(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const script = read("dist/assets/", ".js");
const style = read("dist/assets/", ".css");
if (/<\/script|<!--/i.test(script)) throw new Error("the script would end itself");
// dagre's licence wants to be where dagre is.
const licence = readFileSync(new URL("node_modules/@dagrejs/dagre/LICENSE", root), "utf8").trim();
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
const page = readFileSync(new URL("dist/index.html", root), "utf8")
  .replace(/\s*<script type="module"[^>]*><\/script>/g, "")
  .replace(/\s*<link rel="stylesheet"[^>]*>/g, "")
  // The encoding has to stand within the first 1024 bytes.
  .replace('<meta charset="utf-8" />', (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`)
  .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
  .replace("</body>", () => `  <!-- Made of web/ by make web. @dagrejs/dagre is in it:\n\n${licence}\n-->\n  </body>`)
  .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
if (page.split("@model@").length !== 2) throw new Error("expected one place for the model");
if (page.indexOf("@model@") > page.indexOf(script)) throw new Error("the model has to come before the script");

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) {
    console.error("data/viewer.html is not what web/ makes: make web");
    process.exit(1);
  }
} else {
  writeFileSync(target, page);
  console.log(`data/viewer.html: ${page.length} bytes`);
}
