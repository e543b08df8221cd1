import { describe, expect, test } from 'vitest';
import { documentFromBytes } from '../../src/discover/document-from-bytes.ts';
import { parseBuilditJson } from '../../src/discover/parse-buildit-json.ts';
import type { BuilditError } from '../../src/model/errors.ts';

const KEY = `SHA256:${'a'.repeat(43)}`;
const LINE = `ci@example.org namespaces="buildit-package" ssh-ed25519 ${'A'.repeat(68)}`;

const parse = (value: unknown, { isAlone = false, allowThisMachine = false } = {}) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, '\t');
  return parseBuilditJson(documentFromBytes(Buffer.from(text), 'buildit.json'), { isAlone, allowThisMachine });
};

async function problemsOf(value: unknown, rules = {}): Promise<readonly BuilditError[]> {
  const error = await parse(value, rules).then(
    () => undefined,
    (reason) => reason,
  );
  return error === undefined ? [] : (error.errors ?? [error]);
}

const least = { format: 1, name: 'containers' };

describe('a buildit.json', () => {
  test('needs no more than a format and a name', async () => {
    expect(await parse(least)).toEqual({
      name: 'containers',
      description: undefined,
      recipes: [],
      binhosts: [],
      signers: [],
    });
  });

  test('offers recipes, binhosts and signers', async () => {
    const read = await parse({
      ...least,
      description: 'Containers of Sysadmin42',
      'x-note': 'left out',
      recipes: [
        { name: 'team', path: './recipes/' },
        { name: 'here' },
        { name: 'other', git: 'https://example.org/r', ref: 'v1' },
      ],
      binhosts: [{ name: 'big', 'download-type': 'https', 'download-path': 'example.org:8443/x', priority: 3 }],
      signers: [KEY, LINE],
    });
    expect(read).toMatchObject({
      description: 'Containers of Sysadmin42',
      recipes: [
        { kind: 'path', name: 'team', path: 'recipes' },
        { kind: 'path', name: 'here', path: '.' },
        { kind: 'git', name: 'other', git: 'https://example.org/r', ref: 'v1' },
      ],
      binhosts: [{ name: 'big', downloadType: 'https', downloadPath: 'example.org:8443/x', priority: 3 }],
      signers: [KEY, LINE],
    });
  });

  test('tells all its mistakes at once, each at its place', async () => {
    const problems = await problemsOf(
      [
        '{"format": 2,',
        ' "name": "../x",',
        ' "recipies": [],',
        ' "recipes": [{"name": "a", "path": "../../etc"}, {"name": "a", "path": "/etc"}, {"path": "x"}],',
        ' "binhosts": [{"name": "b", "download-type": "ssh", "download-path": "example.org/x"}],',
        ' "signers": ["me"]}',
      ].join('\n'),
    );
    expect(problems.map(({ message }) => message)).toEqual([
      'Cannot read "format": expected 1, found "2"',
      'Cannot read "name": expected a name such as containers, found "../x"',
      'Cannot read "buildit.json": expected format, name, description, recipes, binhosts or signers, found the unknown key "recipies"',
      'Cannot read "recipes.path": expected a relative path that stays inside, found "../../etc"',
      'Cannot use "a": expected each name once, found it again',
      'Cannot read "recipes.path": expected a relative path that stays inside, found "/etc"',
      'Cannot read "recipes[2]": expected the key "name", found path',
      'Cannot read "binhosts[0].download-type": expected https or http, found "ssh"',
      'Cannot read "signers": expected SHA256:… or a line of an allowed_signers file, found "me"',
    ]);
    expect(problems.map(({ position }) => position?.line)).toEqual([1, 2, 3, 4, 4, 4, 4, 5, 6]);
    expect(problems[2]?.hint).toBe('did you mean "recipes"?');
    expect(problems.every(({ code }) => code === 'input-invalid')).toBe(true);
  });

  test.each([
    ['ext::sh -c id', 'an address with spaces or odd characters'],
    ['ext::id', 'the scheme "ext:"'],
    ['file:///etc', 'the scheme "file:"'],
    ['git://example.org/x', 'the scheme "git:"'],
    ['git@example.org:x', 'no scheme'],
    ['--upload-pack=id', 'no scheme'],
    ['http://example.org/x', 'plain http to another machine'],
    ['http://localhost/x', 'an address of this machine'],
    ['https://-x.org/', 'no name of a host'],
    ['https://example.org\\@evil.org/', 'an address with spaces or odd characters'],
  ])('cannot send git to %s', async (git, found) => {
    const [problem, ...more] = await problemsOf({ ...least, recipes: [{ name: 'a', git }] });
    expect(more).toEqual([]);
    expect(problem?.message).toBe(`Cannot read "recipes.git": expected an https address, found ${found}`);
  });

  test.each([
    ['https', 'localhost/x', 'an address of this machine'],
    ['http', 'example.org/x', 'plain http to another machine'],
    ['https', 'me@example.org/x', 'an address with a user or a password'],
    ['https', '/etc', 'no whole address'],
  ])('cannot send downloads by %s to %s', async (type, path, found) => {
    const binhosts = [{ name: 'a', 'download-type': type, 'download-path': path }];
    const [problem] = await problemsOf({ ...least, binhosts });
    expect(problem?.message).toBe(`Cannot read "binhosts.download-path": expected host/path, found ${found}`);
  });

  test('on this machine may name this machine', async () => {
    const binhosts = [{ name: 'a', 'download-type': 'http', 'download-path': 'localhost:8080/x' }];
    expect(await problemsOf({ ...least, binhosts }, { allowThisMachine: true })).toEqual([]);
  });

  test('alone on the web has no recipes beside it', async () => {
    const [problem] = await problemsOf({ ...least, recipes: [{ name: 'a', path: 'x' }] }, { isAlone: true });
    expect(problem?.message).toContain('expected the key "git" in each, found none');
  });

  test('shows no password, in a message or in the line it quotes', async () => {
    const recipes = [{ name: 'a', git: 'https://me:s3cret@example.org/x' }];
    const [problem] = await problemsOf(JSON.stringify({ ...least, recipes, zzz: 1 }));
    expect(problem?.message).toContain('an address with a user or a password');
    const all = await problemsOf(`{"name": "https://me:s3cret@example.org/", "format": 1}`);
    expect(JSON.stringify([problem, ...all].map((one) => [one?.message, one?.position, one?.hint]))).not.toContain(
      's3cret',
    );
    expect(problem?.position?.excerpt).toContain('https://*********@example.org/x');
  });

  test.each([
    ['YAML', 'format: 1\nname: x\n', 1],
    ['a trailing comma', '{"format": 1,\n"name": "x",\n}', 3],
    ['an alias', '{"format": 1, "name": &a "x"}', 1],
    ['nothing', '', 1],
  ])('is JSON, not %s', async (_, text, line) => {
    const [problem] = await problemsOf(text);
    expect(problem).toMatchObject({ code: 'input-invalid', position: { line } });
    expect(problem?.message).toContain('expected JSON');
  });

  test.each([
    ['a key twice', '{"format": 1, "name": "x", "name": "y"}'],
    ['__proto__', '{"format": 1, "name": "x", "__proto__": {}}'],
    ['deep nesting', `{"format": 1, "name": "x", "recipes": ${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['a list at its top', '[]'],
    ['a text for a list', '{"format": 1, "name": "x", "recipes": "y"}'],
  ])('with %s is refused', async (_, text) => {
    expect((await problemsOf(text))[0]).toMatchObject({ code: 'input-invalid' });
  });
});
