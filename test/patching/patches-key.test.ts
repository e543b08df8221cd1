import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../src/document/parse-yaml.ts';
import { type DocumentText, memberOf, plainValue } from '../../src/document/yaml-node.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { addPatchEntries, type PatchEntry, repinPatch } from '../../src/patching/patches-key.ts';

function documentOf(text: string): DocumentText {
  return {
    name: 'pkg.yaml',
    path: '/pkg.yaml',
    text,
    lineStarts: [0, ...[...text.matchAll(/\n/g)].map((m) => m.index + 1)],
  };
}

const entry: PatchEntry = { key: 'patches/fix.patch', description: 'Fix "it": all' };
const line = 'patches/fix.patch: "Fix \\"it\\": all"';

describe('an entry for a patch is added and nothing else changes', () => {
  test.each([
    [
      'behind the last one, with its comment',
      'base: a/b\npatches:   # ours\n    # first\n    patches/a.patch: A # why\n    # end\nuse: {with: [x]}\n',
      `base: a/b\npatches:   # ours\n    # first\n    patches/a.patch: A # why\n    ${line}\n    # end\nuse: {with: [x]}\n`,
    ],
    [
      'behind a folded text',
      'patches:\n  https://e.org/a.patch:\n    "A\n    b"\nname: x\n',
      `patches:\n  https://e.org/a.patch:\n    "A\n    b"\n  ${line}\nname: x\n`,
    ],
    [
      'behind a block text',
      'patches:\n  a.patch: |\n    A\n\nname: x\n',
      `patches:\n  a.patch: |\n    A\n  ${line}\n\nname: x\n`,
    ],
    [
      'behind a mapping',
      'patches:\n  a.patch:\n    description: A\n    fixes:\n      - CVE-1\n',
      `patches:\n  a.patch:\n    description: A\n    fixes:\n      - CVE-1\n  ${line}\n`,
    ],
    [
      'behind a mapping in braces',
      'patches:\n  a.patch: {description: A,\n    strip: 0} # c\nx: 1\n',
      `patches:\n  a.patch: {description: A,\n    strip: 0} # c\n  ${line}\nx: 1\n`,
    ],
    ['at an end without a line end', 'patches:\n  a.patch: A', `patches:\n  a.patch: A\n  ${line}\n`],
    ['between braces', 'patches: {a.patch: A}\n', `patches: {a.patch: A, ${line}}\n`],
    ['between airy braces', 'patches: { a.patch: A }\n', `patches: { a.patch: A, ${line} }\n`],
    ['behind a comma', 'patches: {\n  a.patch: A,\n}\n', `patches: {\n  a.patch: A, ${line}\n}\n`],
    ['between empty braces', 'patches: {}\nname: x\n', `patches: {${line}}\nname: x\n`],
    ['below an empty key', 'patches: # none yet\nname: x\n', `patches: # none yet\n  ${line}\nname: x\n`],
    ['below a new key', 'name: x', `name: x\npatches:\n  ${line}\n`],
    ['with the line ends of the file', 'patches:\r\n  a.patch: A\r\n', `patches:\r\n  a.patch: A\r\n  ${line}\r\n`],
    ['before the end of the document', '---\nname: x\n...\n', `---\nname: x\npatches:\n  ${line}\n...\n`],
  ])('%s', (_, before, after) => {
    expect(addPatchEntries(documentOf(before), [entry])).toBe(after);
  });

  test('as a mapping where there is more to say', () => {
    const url = 'https://e.org/a.patch?x=1';
    const pinned = { key: url, description: 'ä', fixes: ['CVE-2025-1'], sha256: 'ab'.repeat(32), strip: 0 };
    const text = addPatchEntries(documentOf('name: x\n'), [entry, pinned]);
    expect(text).toContain(
      `  "${url}": { description: "ä", fixes: [CVE-2025-1], sha256: "${pinned.sha256}", strip: 0 }\n`,
    );
    const root = parseYaml(documentOf(text), 'definition-invalid');
    const { key: _, ...value } = pinned;
    expect(plainValue(memberOf(root as never, 'patches')!.value)).toEqual({
      [entry.key]: entry.description,
      [url]: value,
    });
  });

  test.each(['patches: [a]\n', '{name: x}\n', '- a\n'])('or it is refused with the line: %j', (text) => {
    expect(() => addPatchEntries(documentOf(text), [entry])).toThrow(BuilditError);
  });
});

test('a checksum is replaced where there is one', () => {
  const text = `patches:\n  a.patch: {sha256: "${'a'.repeat(64)}", strip: 1} # c\n  b.patch: B\n`;
  const sha256 = 'b'.repeat(64);
  expect(repinPatch(documentOf(text), 'a.patch', sha256)).toBe(text.replace(`"${'a'.repeat(64)}"`, sha256));
  expect(repinPatch(documentOf(text), 'b.patch', sha256)).toBeUndefined();
});
