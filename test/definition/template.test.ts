import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderTemplate } from '../../src/definition/template.ts';
import { Problems } from '../../src/document/problems.ts';
import type { YamlScalar } from '../../src/document/yaml-node.ts';
import { BuilditError } from '../../src/model/errors.ts';

function scalar(text: string): YamlScalar {
  const document = { name: 'a.yaml', path: '/a.yaml', text, lineStarts: [0] };
  return { kind: 'scalar', style: 'plain', text, value: text, document, start: 0, end: text.length };
}

function render(text: string, values: Record<string, string> = {}, escaping: 'none' | 'json' = 'none'): string {
  const problems = new Problems('definition-invalid');
  const rendered = renderTemplate(scalar(text), { values: new Map(Object.entries(values)), problems, escaping });
  problems.throwAll();
  return rendered!;
}

describe('a template', () => {
  test('that asks for more text than a file may make is refused at its place, and nothing is built', () => {
    const values = { long: 'x'.repeat(200_000) };
    const text = '{{long}}'.repeat(50_000);
    expect(() => render(text, values)).toThrow(/expected at most 16777216 characters for the whole file, found more/);
    expect(render('{{long}}'.repeat(80), values)).toHaveLength(16_000_000);
  });

  test('counts with the others of its file', () => {
    const node = scalar('{{long}}'.repeat(60));
    const problems = new Problems('definition-invalid');
    const options = { values: new Map([['long', 'x'.repeat(200_000)]]), problems };
    expect(renderTemplate(node, options)).toHaveLength(12_000_000);
    expect(renderTemplate({ ...node }, options)).toBeUndefined();
    expect(() => problems.throwAll()).toThrow(/for the whole file/);
  });

  test.each([
    ['{{ name }}', 'nginx'],
    ['{{name}}-{{ name }}', 'nginx-nginx'],
    ['a\n  {{ name }}\n\nb\n', 'a\n  nginx\n\nb\n'],
    ['\\{{ name }}', '{{ name }}'],
    ['\\\\{{ name }}', '\\nginx'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: no template of any kind
    ['}} { { name } } ${name} $name', '}} { { name } } ${name} $name'],
    ['awk "{ print $1 }"', 'awk "{ print $1 }"'],
  ])('%j is %j', (text, expected) => {
    expect(render(text, { name: 'nginx' })).toBe(expected);
  });

  test('leaves values as they are, and what is in them', () => {
    expect(render('{{ a }}', { a: '{{ b }} <&"\'>' })).toBe('{{ b }} <&"\'>');
  });

  // biome-ignore format: a list of words
  test.each([
    '{{}}', '{{ }}', '{{{ a }}}', '{{{{a}}}}', '{{#a}}{{/a}}', '{{^a}}{{/a}}', '{{> a}}', '{{! a}}', '{{!-- a --}}', '{{& a}}', '{{~ a ~}}',
    '{{ a.b }}', '{{ ../a }}', '{{ @root }}', '{{ this }}', '{{ "a" }}', '{{ 1 }}', '{{ true }}', '{{ null }}', '{{ else }}', '{{ a b }}',
    '{{ a b=c }}', '{{ (a) }}', '{{ [a] }}', '{{ a', '{{* a}}', '{{ __proto__ }}', '{{ toString }}', '{{ constructor }}',
  ])('refuses %s', (text) => {
    expect(() => render(text, { a: 'x' })).toThrow(BuilditError);
  });

  test('in JSON gives back every value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(JSON.parse(render('"{{ a }}"', { a: value }, 'json'))).toBe(value);
      }),
    );
  });

  test('of any text is rendered or refused, and never becomes anything but texts and values', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{',
      '}',
      ' ',
      'a',
      'b',
      '#',
      '/',
      '>',
      '!',
      '\\',
      '\n',
      '"',
      '.',
      '{{ a }}',
      '{{a}}',
      'each',
      '~',
      '&',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let rendered: string;
        try {
          rendered = render(text, { a: '\u0001' });
        } catch (error) {
          expect(error).toBeInstanceOf(BuilditError);
          return;
        }
        const isPlain = !/\{\{/.test(text);
        const expected = isPlain ? text : undefined;
        if (expected !== undefined) expect(rendered).toBe(expected);
        else
          expect(rendered.split('\u0001').length - 1).toBeLessThanOrEqual(
            (text.match(/\{\{\s*a\s*\}\}/g) ?? []).length,
          );
      }),
      { numRuns: 2000 },
    );
  });
});
