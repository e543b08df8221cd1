import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SCHEMA_OPTIONS } from '../../src/document/schema-options.ts';
import { installation } from '../support/run-buildit.ts';

const SUFFIX = '.schema.json';
const names = readdirSync(join(installation, 'schemas')).map((file) => file.slice(0, -SUFFIX.length));

/** Right ones, wrong ones, and what no file of that kind could be. */
const DOCUMENTS: readonly unknown[] = [
  ...[
    'examples/nginx-prod/container.yaml',
    'examples/haproxy/container.yaml',
    'examples/nginx-prod/pkgs/nginx/pkg.yaml',
    'repos/main/net-misc/curl/pkg.yaml',
    'repos/main/repository.yaml',
    'classes/autotools.yaml',
  ].map((path) => parse(readFileSync(join(installation, path), 'utf8'))),
  { name: 'a/b', versions: 7, source: 12, clas: 'make', test: [{ run: [] }], flags: { X: { default: 'perhaps' } } },
  [{ vars: { name: 3 } }, { package: { type: 'embedded' } }, { pakage: {} }, 'image'],
  [],
  {},
  null,
  'a text',
];

describe('the validators that bin/buildit.js uses', () => {
  test.each(names)('say of any document what the schema says: %s', async (name) => {
    const text = readFileSync(join(installation, 'schemas', `${name}${SUFFIX}`), 'utf8');
    const expected = new Ajv2020(SCHEMA_OPTIONS).compile(JSON.parse(text));
    const { default: compiled } = await import(join(installation, 'dist/document/validators', `${name}.js`));
    for (const document of DOCUMENTS) expect(said(compiled, document)).toEqual(said(expected, document));
    expect(DOCUMENTS.some((document) => !expected(document))).toBe(true);
  });
});

function said(validate: ValidateFunction, document: unknown): readonly ErrorObject[] | boolean {
  return validate(document) ? true : structuredClone(validate.errors!);
}
