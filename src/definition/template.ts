import { createRequire } from 'node:module';
import type Handlebars from 'handlebars';
import { didYouMean } from '../document/closest-name.ts';
import { createDocumentText } from '../document/document-text.ts';
import type { Problems } from '../document/problems.ts';
import { type DocumentText, shorten, type YamlScalar } from '../document/yaml-node.ts';

/** What a template may name. */
export type TemplateValues = ReadonlyMap<string, string>;

export interface RenderOptions {
  readonly values: TemplateValues;
  readonly problems: Problems;
  /** `json`: values are escaped so that they can stand inside a JSON string. */
  readonly escaping?: 'none' | 'json';
}

const HINT = 'only {{ name }} is understood; write \\{{ for a literal {{';

/**
 * Replaces each `{{ name }}` of a text by its value. The grammar is Handlebars', but of it only the name of a value is
 * accepted: no blocks, partials, helpers, paths, raw output or comments, so that nothing is ever evaluated. A literal
 * `{{` is written `\{{`. Complains and returns undefined where something is wrong.
 */
export function renderTemplate(node: YamlScalar, options: RenderOptions): string | undefined {
  return renderText(node.text, node, options);
}

/** As `renderTemplate`, for a part or another form of the scalar's text. */
export function renderText(
  text: string,
  node: YamlScalar,
  { values, problems, escaping = 'none' }: RenderOptions,
): string | undefined {
  if (!text.includes('{{')) return text;
  const parts = parseTemplate(text, node, problems);
  if (parts === undefined) return undefined;
  const escaped = new Map<string, string>();
  const pieces: string[] = [];
  for (const part of parts) {
    if (part.kind === 'text') {
      pieces.push(part.text);
      continue;
    }
    const value = values.get(part.name);
    if (value === undefined) {
      const hint = didYouMean(part.name, values.keys()) ?? `known here: ${[...values.keys()].sort().join(', ')}`;
      const message = `Cannot render "{{ ${part.name} }}": expected the name of a value, found an unknown one`;
      problems.add(node, message, { hint, offset: offsetOfMustache(node, text, part.index) });
      return undefined;
    }
    if (!escaped.has(part.name)) {
      escaped.set(part.name, escaping === 'json' ? JSON.stringify(value).slice(1, -1) : value);
    }
    pieces.push(escaped.get(part.name)!);
  }
  return joinWithinLimit(pieces, node, problems);
}

/**
 * What the templates of one file may make at most, in characters. A text of 400 kB can ask for gigabytes; nothing that a
 * person writes comes near.
 */
export const MOST_RENDERED = 16 * 1024 * 1024;

const renderedOf = new WeakMap<DocumentText, number>();

/** Joins the pieces if they fit; where they do not, complains at the scalar before anything is built. */
function joinWithinLimit(pieces: readonly string[], node: YamlScalar, problems: Problems): string | undefined {
  const rendered = pieces.reduce((sum, piece) => sum + piece.length, renderedOf.get(node.document) ?? 0);
  if (rendered > MOST_RENDERED) {
    const message = `Cannot render the templates: expected at most ${MOST_RENDERED} characters for the whole file, found more`;
    problems.add(node, message, { hint: 'put long texts into files, and copy them with `sync` steps' });
    return undefined;
  }
  renderedOf.set(node.document, rendered);
  return pieces.join('');
}

/** Tells whether a text holds something that rendering would replace or refuse. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}

type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  /** `index` counts the opening braces in the text, escaped ones included. */
  | { readonly kind: 'name'; readonly name: string; readonly index: number };

function parseTemplate(text: string, node: YamlScalar, problems: Problems): TemplatePart[] | undefined {
  const refuse = (index: number, found: string): undefined => {
    const offset = offsetOfMustache(node, text, index);
    problems.add(node, `Cannot read the template: expected {{ name }}, found ${found}`, { hint: HINT, offset });
  };
  const odd = findOddMustache(text);
  if (odd !== undefined) return refuse(odd.index, odd.found);
  let program: hbs.AST.Program;
  try {
    program = loadParser().parse(text);
  } catch {
    return refuse(0, `"${shorten(text.slice(text.indexOf('{{')), 40)}"`);
  }
  const openings = openingOffsets(text);
  const indexOfOpening = new Map(openings.map((offset, index) => [offset, index]));
  const { lineStarts } = createDocumentText(node.document.name, node.document.path, text);
  const parts: TemplatePart[] = [];
  for (const statement of program.body) {
    if (statement.type === 'ContentStatement') {
      parts.push({ kind: 'text', text: (statement as hbs.AST.ContentStatement).value });
      continue;
    }
    const name = simpleName(statement);
    const { line, column } = statement.loc.start;
    const index = indexOfOpening.get((lineStarts[line - 1] ?? 0) + column) ?? 0;
    if (name === undefined) return refuse(index, `"${shorten(text.slice(openings[index]), 40)}"`);
    parts.push({ kind: 'name', name, index });
  }
  return parts;
}

/** Everything but a plain opening: raw and triple braces, blocks, partials, comments, white space control, `{{&`. */
function findOddMustache(text: string): { readonly index: number; readonly found: string } | undefined {
  for (const [index, offset] of openingOffsets(text).entries()) {
    if (text[offset - 1] === '\\') continue;
    if (!/^\{\{\s*[A-Za-z_][A-Za-z0-9_-]*\s*\}\}(?!\})/.test(text.slice(offset, offset + 200))) {
      return { index, found: `"${shorten(text.slice(offset), 40)}"` };
    }
  }
  return undefined;
}

/** The name of a mustache that is one name and nothing else; `true`, `null` and the like are no names. */
function simpleName(statement: hbs.AST.Statement): string | undefined {
  if (statement.type !== 'MustacheStatement') return undefined;
  const { path, params, hash, escaped } = statement as hbs.AST.MustacheStatement & { escaped: boolean };
  if (!escaped || params.length > 0 || (hash?.pairs.length ?? 0) > 0 || path.type !== 'PathExpression')
    return undefined;
  const { data, depth, parts, original } = path as hbs.AST.PathExpression;
  return !data && depth === 0 && parts.length === 1 && parts[0] === original ? original : undefined;
}

/** Offsets of every `{{`, a run of more braces counted once. */
function openingOffsets(text: string): number[] {
  return [...text.matchAll(/\{\{+/g)].map(({ index }) => index);
}

/** The place of the opening braces in the file: they are the same in the scalar's source, where no escape hides one. */
function offsetOfMustache(node: YamlScalar, text: string, index: number): number {
  const source = openingOffsets(node.document.text.slice(node.start, node.end));
  return source.length === openingOffsets(text).length ? (source[index] ?? 0) : 0;
}

type Parser = Pick<typeof Handlebars, 'parse'>;

let parser: Parser | undefined;

/** The parser alone, when the first template is met: all of Handlebars takes longer to load than most definitions to read. */
function loadParser(): Parser {
  parser ??= createRequire(import.meta.url)('handlebars/dist/cjs/handlebars/compiler/base.js') as Parser;
  return parser;
}
