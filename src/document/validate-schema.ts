import { readFile } from 'node:fs/promises';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Problems } from './problems.ts';
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
    validator = compileSchema(schema);
    validators.set(schema, validator);
  }
  const validate = await validator;
  if (validate(plainValue(root))) return;
  addSchemaProblems(validate.errors as ErrorObject[], root, problems, unsupported);
}

/**
 * The schemas are not checked against their meta-schema here, a test does that: compiling it takes longer than all of
 * them. Definitions are not copied into every place that refers to them, and the generated code is not made shorter, for
 * the same reason.
 */
const OPTIONS = {
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  strictTypes: false,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
} as const;

/** Imported when first needed: a run that has nothing to do reads no definition. */
async function compileSchema(schema: SchemaName): Promise<ValidateFunction> {
  const url = new URL(`../../schemas/${schema}.schema.json`, import.meta.url);
  const [{ Ajv2020 }, text] = await Promise.all([import('ajv/dist/2020.js'), readFile(url, 'utf8')]);
  return new Ajv2020(OPTIONS).compile(JSON.parse(text));
}
