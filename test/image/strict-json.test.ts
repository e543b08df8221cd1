import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from '../../src/image/strict-json.ts';

describe('strict JSON', () => {
  test('reads what JSON.parse reads, indented or not', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 2, '\t'), (text, indent) => {
        const value = JSON.parse(text);
        expect(parseStrictJson(JSON.stringify(value, null, indent)).value).toEqual(value);
      }),
    );
  });

  test('tells the line of each value by its pointer', () => {
    const { lines } = parseStrictJson('{\n  "a": [\n    1,\n    {"b/c": 2}\n  ]\n}');
    expect(Object.fromEntries(lines)).toEqual({ '': 1, '/a': 2, '/a/0': 3, '/a/1': 4, '/a/1/b~1c': 4 });
  });

  test('keeps a key called __proto__ as data', () => {
    expect(Object.keys(parseStrictJson('{"__proto__": {"x": 1}}').value as object)).toEqual(['__proto__']);
  });

  test.each([
    ['{"a": 1, "a": 2}', 'expected each key once, found "a" again'],
    ['{"a": 1,}', 'expected a key in quotes'],
    ['[1,]', 'expected a value'],
    ['{a: 1}', 'expected a key in quotes'],
    ["{'a': 1}", 'expected a key in quotes'],
    ['[01]', 'expected a value'],
    ['[1] 2', 'expected the end'],
    ['["a\nb"]', 'expected a string'],
    ['["\\ud800"]', 'half a surrogate pair'],
    ['[1', 'expected "," or "]", found the end'],
    ['// x\n1', 'expected a value'],
    ['', 'expected a value, found the end'],
    ['['.repeat(200), 'at most 100 levels'],
  ])('refuses %j', (text, message) => {
    expect(() => parseStrictJson(text)).toThrow(message);
  });

  test('names the line of a fault', () => {
    expect(() => parseStrictJson('{\n"a": 1\n"b": 2}')).toThrow(expect.objectContaining({ line: 3 }));
  });
});
