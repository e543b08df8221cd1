import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const directory = fileURLToPath(new URL('../../schemas/', import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith('.schema.json'));

interface Schema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: unknown;
  readonly additionalProperties?: unknown;
  readonly if?: unknown;
  readonly allOf?: unknown;
}

const schemaOf = (name: string): Schema => JSON.parse(readFileSync(`${directory}${name}`, 'utf8'));

/** Every schema in a schema, with the path to it. */
function* schemasIn(value: unknown, path: string): Generator<[string, Schema]> {
  if (typeof value !== 'object' || value === null || path.endsWith('/examples')) return;
  if (!Array.isArray(value) && ('type' in value || '$ref' in value || 'enum' in value)) yield [path, value as Schema];
  for (const [key, member] of Object.entries(value)) yield* schemasIn(member, `${path}/${key}`);
}

test('there is one for each file that a person writes', () => {
  expect(names).toEqual([
    'buildit-config.schema.json',
    'buildit.schema.json',
    'class.schema.json',
    'container.schema.json',
    'pkg.schema.json',
    'repository.schema.json',
  ]);
});

describe.each(names)('%s', (name) => {
  const schema = schemaOf(name);
  const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false });

  test('is a schema of draft 2020-12 with a relative id', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.$id).toBe(name);
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  test('accepts its own examples', () => {
    const validate = ajv.compile(schema);
    expect(schema.examples?.length).toBeGreaterThan(0);
    for (const example of schema.examples ?? []) {
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test('refuses unknown keys everywhere, and allows x-', () => {
    for (const [path, part] of schemasIn(schema, '')) {
      if (part.properties === undefined || part.if !== undefined || part.allOf !== undefined) continue;
      expect(part.additionalProperties, path).toBe(false);
      expect(part.patternProperties, path).toEqual({ '^x-': true });
    }
  });

  test('describes every key', () => {
    const definitions = schema.$defs ?? {};
    for (const [path, part] of schemasIn(schema, '')) {
      for (const [key, property] of Object.entries(part.properties ?? {})) {
        if ('const' in property) continue;
        const definition = definitions[String(property.$ref).replace('#/$defs/', '')];
        expect(property.description ?? definition?.description, `${path} ${key}`).toEqual(expect.any(String));
      }
    }
  });
});

test('an editor with the schemas accepts what ships with buildit', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false });
  const read = (path: string) => parse(readFileSync(path, 'utf8'));
  const pkg = ajv.compile(schemaOf('pkg.schema.json'));
  const recipes = readdirSync(`${root}repos/main`, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('pkg.yaml'),
  );
  expect(recipes.length).toBeGreaterThan(0);
  for (const recipe of recipes) {
    expect(pkg(read(`${root}repos/main/${recipe}`)), `${recipe} ${JSON.stringify(pkg.errors)}`).toBe(true);
  }
  const repository = ajv.compile(schemaOf('repository.schema.json'));
  expect(repository(read(`${root}repos/main/repository.yaml`))).toBe(true);
});
