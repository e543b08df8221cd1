import type { JsonValue } from '../model/canonical-json.ts';

export interface ParsedJson {
  readonly value: JsonValue;
  /** Line (from 1) on which the value with this JSON pointer (RFC 6901) begins. */
  readonly lines: ReadonlyMap<string, number>;
}

/** What is wrong with a text that is not JSON, and on which line. */
export class JsonFault extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const MAX_DEPTH = 100;

/** Parses JSON as RFC 8259 has it and no more; a key that comes twice in an object is a fault. */
export function parseStrictJson(text: string): ParsedJson {
  const reader = new JsonReader(text);
  const value = reader.readValue('', 0);
  reader.expectEnd();
  return { value, lines: reader.lines };
}

export function pointerTo(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

class JsonReader {
  readonly lines = new Map<string, number>();
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(pointer: string, depth: number): JsonValue {
    this.#skipSpace();
    this.lines.set(pointer, this.#line);
    if (depth > MAX_DEPTH) throw this.#fault(`expected at most ${MAX_DEPTH} levels, found more`);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#readObject(pointer, depth);
      case '[':
        return this.#readArray(pointer, depth);
      case '"':
        return this.#readString();
      default:
        return this.#readWord();
    }
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#fault(`expected the end, found ${this.#found()}`);
  }

  #readObject(pointer: string, depth: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#skips('}')) return {};
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#fault(`expected a key in quotes, found ${this.#found()}`);
      const key = this.#readString();
      if (members.has(key)) throw this.#fault(`expected each key once, found ${JSON.stringify(key)} again`);
      if (!this.#skips(':')) throw this.#fault(`expected ":", found ${this.#found()}`);
      members.set(key, this.readValue(pointerTo(pointer, key), depth + 1));
    } while (this.#skips(','));
    if (!this.#skips('}')) throw this.#fault(`expected "," or "}", found ${this.#found()}`);
    return Object.fromEntries(members);
  }

  #readArray(pointer: string, depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at += 1;
    if (this.#skips(']')) return items;
    do items.push(this.readValue(pointerTo(pointer, items.length), depth + 1));
    while (this.#skips(','));
    if (!this.#skips(']')) throw this.#fault(`expected "," or "]", found ${this.#found()}`);
    return items;
  }

  #readString(): string {
    const match = this.#take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    if (match === undefined) throw this.#fault('expected a string that ends on its line, with known escapes');
    const value = JSON.parse(match) as string;
    if (!value.isWellFormed()) throw this.#fault('expected well-formed Unicode, found half a surrogate pair');
    return value;
  }

  #readWord(): JsonValue {
    const match = this.#take(/(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.])/y);
    if (match === undefined) throw this.#fault(`expected a value, found ${this.#found()}`);
    return JSON.parse(match) as JsonValue;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #skips(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#line += 1;
      else if (character !== ' ' && character !== '\t' && character !== '\r') return;
      this.#at += 1;
    }
  }

  #found(): string {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    return rest === '' ? 'the end' : JSON.stringify(rest);
  }

  #fault(message: string): JsonFault {
    return new JsonFault(message, this.#line);
  }
}
