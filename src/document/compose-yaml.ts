import { Composer, CST, type Document, Lexer, type ParsedNode, Parser } from 'yaml';

/** Reports what cannot be accepted, `offset` characters into the text. Never returns. */
export type Refuse = (offset: number, found: string, hint?: string) => never;

/** What a document may hold at most, so that no input costs more than a second or 256 MB. */
export const YAML_LIMITS = { bytes: 512 * 1024, depth: 48, tokens: 40_000 } as const;

const OPTIONS = { version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: false, strict: true } as const;

/**
 * Composes the one document of a YAML text. Depth, number of tokens and forbidden constructs are checked while the text
 * is cut into tokens, before anything is built from them; `uniqueKeys` is off because it compares each key with all
 * others: the conversion does it with a set.
 */
export function composeYaml(text: string, refuse: Refuse): ParsedNode | null {
  const { stackTraceLimit } = Error;
  // The composer makes an error for each fault of a text, tens of thousands; their stacks take most of its time.
  Error.stackTraceLimit = 0;
  try {
    return composeOne(text, refuse);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function composeOne(text: string, refuse: Refuse): ParsedNode | null {
  const composer = new Composer(OPTIONS);
  let only: Document.Parsed | undefined;
  for (const document of composer.compose(readTokens(text, refuse), true, text.length)) {
    const error = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
    if (error !== undefined) refuseBroken(error.pos[0], error.message, text, refuse);
    if (only !== undefined) refuse(document.range[0], 'expected one document, found a second one');
    only = document;
  }
  return only?.contents ?? null;
}

function* readTokens(text: string, refuse: Refuse): Generator<CST.Token> {
  const parser = new Parser();
  let offset = 0;
  let tokens = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    const isMarker = lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END || lexeme === CST.SCALAR;
    if (!isMarker && !isScalar) refuseForbidden(lexeme, offset, refuse);
    isScalar = lexeme === CST.SCALAR;
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') refuseBroken(token.offset, token.message, text, refuse);
      yield token;
    }
    tokens += 1;
    if (tokens > YAML_LIMITS.tokens) refuse(offset, `expected at most ${YAML_LIMITS.tokens} tokens, found more`);
    if (parser.stack.length > YAML_LIMITS.depth) {
      refuse(offset, `expected at most ${YAML_LIMITS.depth} levels of nesting, found more`);
    }
    if (!isMarker) offset += lexeme.length;
  }
  yield* parser.end();
}

function refuseForbidden(lexeme: string, offset: number, refuse: Refuse): undefined {
  switch (CST.tokenType(lexeme)) {
    case 'anchor':
    case 'alias':
      return refuse(
        offset,
        `expected plain data, found "${lexeme}"`,
        'write the value out, or quote it if it is a text',
      );
    case 'tag':
      return refuse(offset, `expected plain data, found the tag "${lexeme}"`, 'leave the tag out, or quote the value');
    case 'directive-line':
      if (/^%YAML\s+1\.2\s*$/.test(lexeme)) return undefined;
      return refuse(offset, `expected YAML 1.2 without directives, found "${lexeme.trim()}"`, 'leave the line out');
    default:
      return undefined;
  }
}

function refuseBroken(offset: number, message: string, text: string, refuse: Refuse): never {
  const template = unquotedTemplateNear(text, offset);
  if (template !== undefined) {
    refuse(template, 'expected a text, found an unquoted template', 'quote the whole value: "{{ name }}"');
  }
  const lineStart = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  if (/^ *\t/.test(text.slice(lineStart, offset + 1))) refuse(lineStart, 'expected spaces as indentation, found a tab');
  if (message.startsWith('Nested mappings are not allowed in compact')) {
    refuse(offset, 'expected a value, found another key in it', 'quote a text that holds ": ", or indent keys alike');
  }
  return refuse(offset, message.split('\n', 1)[0]!);
}

/** Where the line of `offset` or the one before has a `{{` outside quotes, which YAML takes for two mappings. */
function unquotedTemplateNear(text: string, offset: number): number | undefined {
  const lineStart = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  const previousStart = text.lastIndexOf('\n', Math.max(0, lineStart - 2)) + 1;
  for (const start of [lineStart, previousStart]) {
    const line = text.slice(start, text.indexOf('\n', start) < 0 ? undefined : text.indexOf('\n', start));
    const at = templateOutsideQuotes(line);
    if (at >= 0) return start + at;
  }
  return undefined;
}

/** Where the first `{{` of a line stands outside quotes, or -1; a quote that nothing closes is a character like others. */
function templateOutsideQuotes(line: string): number {
  const lastQuote = { '"': line.lastIndexOf('"'), "'": line.lastIndexOf("'") };
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]!;
    if (line.startsWith('{{', at)) return at;
    if ((character === '"' || character === "'") && at < lastQuote[character]) at = endOfQuoted(line, at);
  }
  return -1;
}

/** The last character of the quoted text that begins at `start`, or `start` where it does not end in this line. */
function endOfQuoted(line: string, start: number): number {
  const quote = line[start]!;
  for (let at = start + 1; at < line.length; at += 1) {
    if (line[at] === quote) return at;
    if (quote === '"' && line[at] === '\\') at += 1;
  }
  return line.length;
}
