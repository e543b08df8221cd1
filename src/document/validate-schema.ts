import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Problems } from './problems.ts';
import { SCHEMA_OPTIONS } from './schema-options.ts';
import { addSchemaProblems, type UnsupportedWords } from './schema-problem.ts';
import { plainValue, type YamlNode } from './yaml-node.ts';

export type SchemaName = 'container' | 'pkg' | 'repository' | 'class' | 'buildit-config' | 'buildit';

const validators = new Map<SchemaName, Promise<ValidateFunction>>();

/** Checks a tree against one of the published schemas and adds every violation, at its place in the file. */
export async function validateSchema(
  schema: SchemaName,
  root: YamlNode,
  problems: Problems,
  unsupported: UnsupportedWords,
): Promise<void> {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = loadValidator(schema);
    validators.set(schema, validator);
  }
  const validate = await validator;
  if (validate(plainValue(root))) return;
  addSchemaProblems(validate.errors as ErrorObject[], root, problems, unsupported);
}

/** From dist/ a module that was made of the schema; from src/, as tests run it, the schema is compiled now. */
async function loadValidator(schema: SchemaName): Promise<ValidateFunction> {
  const compiled = new URL(`./validators/${schema}.js`, import.meta.url);
  if (existsSync(compiled)) return ((await import(compiled.href)) as { readonly default: ValidateFunction }).default;
  const url = new URL(`../../schemas/${schema}.schema.json`, import.meta.url);
  const [{ Ajv2020 }, text] = await Promise.all([import('ajv/dist/2020.js'), readFile(url, 'utf8')]);
  return new Ajv2020(SCHEMA_OPTIONS).compile(JSON.parse(text));
}
