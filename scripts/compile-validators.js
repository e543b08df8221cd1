// compile-validators.js DIST: makes a module of every published schema, so that a run does not have to: that takes Ajv
// half a second, and every verb that reads a definition waits for it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const schemas = fileURLToPath(new URL('../schemas', import.meta.url));
const SUFFIX = '.schema.json';
/** Ajv's own functions are CommonJS modules, which the generated code requires. */
const HEAD = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n";

const dist = resolve(process.argv[2]);
const { SCHEMA_OPTIONS } = await import(pathToFileURL(`${dist}/document/schema-options.js`).href);
const target = `${dist}/document/validators`;
mkdirSync(target, { recursive: true });
for (const file of readdirSync(schemas).filter((name) => name.endsWith(SUFFIX))) {
  const ajv = new Ajv2020({ ...SCHEMA_OPTIONS, code: { ...SCHEMA_OPTIONS.code, source: true, esm: true } });
  const validate = ajv.compile(JSON.parse(readFileSync(`${schemas}/${file}`, 'utf8')));
  writeFileSync(`${target}/${file.slice(0, -SUFFIX.length)}.js`, HEAD + standalone.default(ajv, validate));
}
