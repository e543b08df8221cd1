import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createDocumentText } from '../../src/document/document-text.ts';
import { memberOf } from '../../src/document/yaml-node.ts';
import { containerText, HELLO } from '../../src/draft/container-text.ts';
import { addPackageSteps } from '../../src/edit/add-package-steps.ts';
import { parseList } from '../../src/edit/edited-list.ts';
import type { PackageStep } from '../../src/edit/package-step.ts';
import { removeStep } from '../../src/edit/remove-step.ts';

const fixtures = fileURLToPath(new URL('../fixtures/edit/', import.meta.url));
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

const document = (text: string) => createDocumentText('container.yaml', '/container.yaml', text);
const add = (text: string, ...steps: PackageStep[]) => addPackageSteps(document(text), steps);

function remove(text: string, wanted: string): string {
  const { items } = parseList(document(text));
  const index = items.findIndex((item) => {
    const step = item.kind === 'map' ? memberOf(item, 'package')?.value : undefined;
    return step?.kind === 'map' && step.members.some(({ value }) => value.kind === 'scalar' && value.text === wanted);
  });
  return removeStep(document(text), index);
}

const NGINX = { type: 'repository', name: 'www-servers/nginx', version: '1.22.1' } as const;
const CURL = { type: 'debian', name: 'curl' } as const;
const OWN = { type: 'embedded', path: './pkgs/own' } as const;

const files = [
  ...readdirSync(fixtures).map((name) => [name, join(fixtures, name)] as const),
  ...readdirSync(examples).map((name) => [`examples/${name}`, join(examples, name, 'container.yaml')] as const),
];
const texts = files.flatMap(([name, path]) => {
  const text = readFileSync(path, 'utf8');
  return [
    [name, text],
    [`${name} with lines that end as on Windows`, text.replaceAll('\n', '\r\n')],
    [`${name} without a newline at its end`, text.trimEnd()],
  ] as const;
});

describe.each(texts)('%s', (_, text) => {
  test('is the same again, byte for byte, after adding and removing', () => {
    for (const steps of [[NGINX], [CURL, NGINX], [OWN, CURL, NGINX]]) {
      const added = add(text, ...steps);
      expect(added.length).toBeGreaterThan(text.length);
      for (const order of [steps, steps.toReversed()]) {
        const wanted = order.map((step) => (step.type === 'embedded' ? step.path : step.name));
        expect(wanted.reduce(remove, added)).toBe(text);
      }
    }
  });

  test('has no other line after adding, and keeps those it had', () => {
    const before = text.split(/\r?\n/);
    const after = add(text, NGINX).split(/\r?\n/);
    const kept = [...before];
    for (const line of after) if (line === kept[0]) kept.shift();
    expect(kept).toEqual([]);
  });
});

describe('a package is added', () => {
  test.each<[string, string, string]>([
    [
      'behind the last package, in braces where that one is',
      '- vars: {name: a, version: 1}\n- package: { type: debian, name: curl } # for health\n- image: {type: oci}\n',
      '- vars: {name: a, version: 1}\n- package: { type: debian, name: curl } # for health\n- package: { type: repository, name: www-servers/nginx, version: 1.22.1 }\n- image: {type: oci}\n',
    ],
    [
      'with the indentation of the last package',
      '  -   vars: {name: a, version: 1}\n\n  -   package:\n          type: debian\n          name: curl\n',
      '  -   vars: {name: a, version: 1}\n\n  -   package:\n          type: debian\n          name: curl\n\n  -   package:\n          type: repository\n          name: www-servers/nginx\n          version: 1.22.1\n',
    ],
    [
      'behind the variables where there is no package',
      '# mine\n- vars: {name: a, version: 1}\n\n# The result.\n- image: {type: oci}\n',
      '# mine\n- vars: {name: a, version: 1}\n\n- package:\n    type: repository\n    name: www-servers/nginx\n    version: 1.22.1\n\n# The result.\n- image: {type: oci}\n',
    ],
    [
      'behind comments that belong to the last package',
      '- vars: {name: a, version: 1}\n- package:\n    type: debian\n    name: curl\n    # version: 1\n\n# The result.\n- image: {type: oci}\n',
      '- vars: {name: a, version: 1}\n- package:\n    type: debian\n    name: curl\n    # version: 1\n\n- package:\n    type: repository\n    name: www-servers/nginx\n    version: 1.22.1\n\n# The result.\n- image: {type: oci}\n',
    ],
  ])('%s', (_, before, after) => {
    expect(add(before, NGINX)).toBe(after);
  });

  test('with quotes where a version would be taken for something else', () => {
    const text = add('- vars: {name: a, version: 1}\n', { type: 'debian', name: 'gcc', version: '4:12.2.0-3' });
    expect(text).toContain('version: 4:12.2.0-3');
    const flow = add('- package: {type: debian, name: a0}\n', { type: 'debian', name: 'gcc', version: '4:12.2.0-3' });
    expect(flow).toContain('version: "4:12.2.0-3"}');
  });
});

describe('a step is removed', () => {
  const VARS = '- vars: {name: a, version: 1}\n';
  const CURL_STEP = '- package: {type: debian, name: curl}\n';
  const NGINX_STEP = '- package: {type: repository, name: www-servers/nginx}\n';
  const RESULT = '\n# The result.\n- image: {type: oci}\n';

  test('with the comments in its lines and directly above it', () => {
    const nginx = `\n# The server.\n# It speaks TLS.\n${NGINX_STEP.replace('\n', ' # ours\n')}  # patched\n`;
    expect(remove(`${VARS}\n${CURL_STEP}${nginx}${RESULT}`, 'www-servers/nginx')).toBe(
      `${VARS}\n${CURL_STEP}${RESULT}`,
    );
  });

  test('without a comment that stands apart, be it above or below', () => {
    const section = '\n# --- the tools section ---\n';
    const text = `${VARS}\n${NGINX_STEP}${section}\n${CURL_STEP}`;
    expect(remove(text, 'curl')).toBe(`${VARS}\n${NGINX_STEP}${section}`);
    expect(remove(text, 'www-servers/nginx')).toBe(`${VARS}${section}\n${CURL_STEP}`);
    const own = text.replace(CURL_STEP, `# For health.\n${CURL_STEP}`);
    expect(remove(own, 'curl')).toBe(`${VARS}\n${NGINX_STEP}${section}`);
  });

  test('without the comment above the first package, which may be about all of them', () => {
    const comment = '\n# What it holds.\n';
    const others = `\n# For health.\n${CURL_STEP}${RESULT}`;
    expect(remove(`${VARS}${comment}${NGINX_STEP}${others}`, 'www-servers/nginx')).toBe(`${VARS}${comment}${others}`);
    expect(remove(`${VARS}${comment}${NGINX_STEP}${RESULT}`, 'www-servers/nginx')).toBe(`${VARS}${comment}${RESULT}`);
  });

  test('without a comment that is for the packages below too', () => {
    const text = `${VARS}\n- package: {type: debian, name: zlib1g}\n\n# Two.\n${NGINX_STEP}${CURL_STEP}`;
    expect(remove(text, 'www-servers/nginx')).toBe(text.replace(NGINX_STEP, ''));
  });

  test('without any comment of the file that a new container begins with', () => {
    const text = containerText({ name: 'web', packages: [HELLO], image: 'oci' });
    const comments = (of: string) => of.split('\n').filter((line) => line.startsWith('#'));
    expect(comments(remove(text, HELLO.name))).toEqual(comments(text));
  });

  test('where it is the first', () => {
    const text = '---\n# header\n- package: {type: debian, name: curl}\n\n\n- vars: {name: a, version: 1}\n';
    expect(remove(text, 'curl')).toBe('---\n# header\n- vars: {name: a, version: 1}\n');
  });
});

describe('nothing is changed', () => {
  test.each<[string, string, string]>([
    ['a list in brackets', '[{vars: {name: a, version: 1}}]\n', 'found a list in brackets'],
    ['an anchor', '- vars: &a {name: a, version: 1}\n', 'expected plain data, found "&a"'],
    ['an alias', '- vars: {name: a, version: 1}\n- package: *a\n', 'expected plain data, found "*a"'],
    ['a duplicate key', '- vars: {name: a, name: b}\n', 'expected each key once'],
    ['two documents', '- vars: {name: a}\n---\n- vars: {name: b}\n', 'expected one document'],
    ['a mapping', 'vars: {name: a, version: 1}\n', 'expected a list of steps'],
    ['a text that goes on to the end of the file', '- vars:\n    name: |+\n      a\n\n\n', 'found another'],
  ])('where there is %s', (_, text, said) => {
    expect(() => add(text, NGINX)).toThrow(said);
  });
});
