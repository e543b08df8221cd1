import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseYaml } from '../../src/document/parse-yaml.ts';
import {
  type DocumentText,
  plainValue,
  positionOf,
  type YamlMap,
  type YamlScalar,
} from '../../src/document/yaml-node.ts';
import { BuilditError } from '../../src/model/errors.ts';

function textOf(text: string): DocumentText {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return { name: 'a.yaml', path: '/a.yaml', text, lineStarts };
}

function read(text: string) {
  return parseYaml(textOf(text), 'definition-invalid');
}

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof BuilditError) return `${error.position?.line}:${error.position?.column} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

function member(text: string, name: string): YamlScalar {
  return (read(text) as YamlMap).members.find((one) => one.name === name)!.value as YamlScalar;
}

/** Processor time: the clock also counts what other programs do meanwhile. */
function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

describe('the tree', () => {
  test('keeps what a plain scalar is written as, and what YAML 1.2 makes of it', () => {
    const text = 'a: 1.10\nb: 0644\nc: no\nd: 1e3\ne: 12:30\nf: ~\ng: True\n';
    const found = (read(text) as YamlMap).members.map(({ value }) => value as YamlScalar);
    expect(found.map((scalar) => [scalar.text, scalar.value])).toEqual([
      ['1.10', 1.1],
      ['0644', 644],
      ['no', 'no'],
      ['1e3', 1000],
      ['12:30', '12:30'],
      ['~', null],
      ['True', true],
    ]);
  });

  test('keeps the value of quoted and block scalars', () => {
    const text = "a: \"x\\ty\"\nb: 'it''s'\nc: |\n  one\n  two\nd: >-\n  one\n  two\n";
    expect(member(text, 'a').text).toBe('x\ty');
    expect(member(text, 'b').text).toBe("it's");
    expect(member(text, 'c')).toMatchObject({ text: 'one\ntwo\n', style: 'block' });
    expect(member(text, 'd').text).toBe('one two');
  });

  test('keeps the order of keys that look like numbers, and their text', () => {
    const { members } = read('10: a\n9: b\nx: c\n1.10: d\n1.1: e\n') as YamlMap;
    expect(members.map(({ name }) => name)).toEqual(['10', '9', 'x', '1.10', '1.1']);
  });

  test('says where everything is', () => {
    const { members } = read('# note\r\nkey: value\r\n\r\nother:\r\n  - item\r\n') as YamlMap;
    expect(positionOf(members[0]!.value)).toEqual({ file: 'a.yaml', line: 2, column: 6, excerpt: 'key: value' });
    expect(positionOf(members[1]!.value)).toEqual({ file: 'a.yaml', line: 5, column: 3, excerpt: '  - item' });
  });

  test('ends lines with a newline, whatever the file does', () => {
    expect(member('a: |\r\n  one\r\n  two\r\n', 'a').text).toBe('one\ntwo\n');
    expect(member('a: "one\r\n\r\n  two"\r\n', 'a').text).toBe('one\ntwo');
    expect(member('a: >\r\n  one\r\n  two\r\n', 'a').text).toBe('one two\n');
    expect(member('a: one\r\n  two\r\nb: c\r\n', 'a').text).toBe('one two');
  });

  test('leaves out keys that begin with x-', () => {
    expect(plainValue(read('a: 1\nx-b: {c: [2]}\n'))).toEqual({ a: 1 });
  });

  test('has no prototype that a key could reach', () => {
    const value = plainValue(read('constructor: 1\n')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(value.toString).toBeUndefined();
  });

  test('holds what the yaml library reads, for any JSON value', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const key = fc.string({ minLength: 1 }).filter((name) => !name.startsWith('x-') && name !== '__proto__');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json);
        expect(JSON.stringify(plainValue(read(text)))).toBe(JSON.stringify(parse(text, { uniqueKeys: false })));
      }),
      { numRuns: 200 },
    );
  });
});

describe('what is refused', () => {
  test.each([
    ['{a: 1, a: 2}', '1:8', 'found "a" again'],
    ['"a": 1\na: 2\n', '2:1', 'found "a" again (first in line 1)'],
    ['[a]: b', '1:1', 'found a list'],
    ['? {a: b}\n: c', '1:3', 'found a map'],
    ['"": b', '1:1', 'found ""'],
    ['a: *b', '1:4', 'found "*b"'],
    ['- &a x', '1:3', 'found "&a"'],
    ['!!binary aGk=', '1:1', 'found the tag "!!binary"'],
    ['!<tag:x> a', '1:1', 'found the tag'],
    ['%TAG ! x\n--- a', '1:1', 'found "%TAG ! x"'],
    ['--- a\n--- b', '2:1', 'found a second one'],
    ['a: b: c', '1:4', 'another key in it'],
    ['a: b\n  c: d', '1:4', 'another key in it'],
    ['a: {{ b }}', '1:4', 'unquoted template {{ b }}'],
    ['a: x\nb: {{ c }}/d', '2:4', 'unquoted template'],
    ['a:\n\tb: c', '2:1', 'found a tab'],
  ])('%j at %s', (text, place, message) => {
    const found = refusal(text);
    expect(found).toContain(message);
    expect(found.startsWith(`${place} `), found).toBe(true);
  });

  test('a directive for YAML 1.2 is fine', () => {
    expect(plainValue(read('%YAML 1.2\n---\na: no\n...\n'))).toEqual({ a: 'no' });
  });

  /** Each has the largest size that is read at all: 512 KiB. */
  const repeated = (part: string) => part.repeat(Math.ceil((512 * 1024) / part.length)).slice(0, 512 * 1024);

  test.each([
    ['lists in lists', repeated('[')],
    ['mappings in mappings', repeated('{a: ')],
    ['items in items', repeated('- ')],
    ['keys in keys', repeated('? ')],
    ['many keys', Array.from({ length: 50_000 }, (_, i) => `k${i}:`).join('\n')],
    ['many items', repeated('-\n')],
    ['many commas', `[${repeated(',')}`],
    ['many comments', repeated('#\n')],
    ['empty lines', repeated('\n')],
    ['document after document', repeated('---\n')],
    ['closing brackets', repeated(']')],
    ['colons', repeated(':')],
    ['an open quote over many lines', `"${repeated('x\n')}`],
    ['anchors', repeated('&a ')],
    ['escaped quotes behind an open one', `a: { b: "${repeated('\\"')}`],
    ['single quotes behind an open one', `a: { b: '${repeated("'' ")}`],
    ['commas in a list that takes tens of thousands', `[${','.repeat(39_000)}]`],
    ['quoted texts without commas', `[${'"" '.repeat(13_000)}]`],
  ])('%s, within a second', (_, text) => {
    const started = process.cpuUsage();
    expect(refusal(text)).not.toBe('accepted');
    expect(cpuMilliseconds(started)).toBeLessThan(1000);
  });

  test.each([
    ['one long text', `a: ${repeated('b ')}`],
    ['one long number', `a: ${repeated('1')}`],
    ['a text of blank lines', `a: |\n${repeated(' \n')}`],
    ['a text of many lines', `a: |\n${repeated(' x\n')}`],
    ['a folded text of many lines', `a: >\n${repeated(' x\n\n')}`],
    ['a quoted text with many escapes', `a: "${repeated('\\n')}"`],
    ['many keys in the limit', Array.from({ length: 5_500 }, (_, i) => `k${i}: v`).join('\n')],
  ])('%s is read within a second', (_, text) => {
    const started = process.cpuUsage();
    expect(read(text).kind).toBe('map');
    expect(cpuMilliseconds(started)).toBeLessThan(1000);
  });

  test('any text is read or refused with a place, and never crashes', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '|',
      '>',
      '?',
      ',',
      '#',
      '&',
      '*',
      '!',
      '%',
      '---',
      '\t',
      '{{ x }}',
      '\\',
      '<<',
      '\r\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(refusal(pieces.join(''))).toMatch(/^(?:accepted$|\d+:\d+ Cannot read "a.yaml" as YAML: )/);
      }),
      { numRuns: 1000 },
    );
  });
});
