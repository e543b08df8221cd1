import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** Characters that texts, paths, versions and lists are made of, and one that no pattern expects. */
const ALPHABET = [...'\ta0Z/\\"\'-.=,:;[](){}<>#@%&|+~_\n!*$^? \r', '\u00a0', '\u0001'];

/** Ends of a text that make a pattern give up what it has matched. */
const ENDS = ['\u0001', '\n\u0001', ''];

export interface Attack {
  readonly before: string;
  readonly pump: string;
  readonly after: string;
}

/**
 * The text that a regular expression reads in more than linear time, or undefined. For each part that may repeat without
 * bound it builds texts that repeat what the part accepts, behind what the pattern asks for first, and measures how the
 * time grows.
 */
export function findSlowText(pattern: RegExp): Attack | undefined {
  return attacksOn(pattern).find((attack) => isSlow(pattern, attack));
}

/**
 * An exponential pattern needs seconds for 24 repetitions, a quadratic one hundreds of milliseconds for 20,000 characters,
 * a linear one less than a millisecond.
 */
function isSlow(pattern: RegExp, attack: Attack): boolean {
  return [12, 18, 24, 20_000 / attack.pump.length].some((times) => {
    const text = textOf(attack, times);
    return cpuMs(pattern, text) > SLOW_MS && cpuMs(pattern, text) > SLOW_MS;
  });
}

const SLOW_MS = 20;

export function textOf({ before, pump, after }: Attack, times: number): string {
  return before + pump.repeat(times) + after;
}

function cpuMs(pattern: RegExp, text: string): number {
  const start = process.cpuUsage();
  // As it is used: a global pattern finds every match.
  if (pattern.global) text.replace(pattern, '');
  else pattern.exec(text);
  pattern.lastIndex = 0;
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

export function attacksOn(pattern: RegExp): Attack[] {
  const tree = new RegExpParser().parsePattern(pattern.source, 0, pattern.source.length, {
    unicode: pattern.unicode,
    unicodeSets: false,
  });
  const alphabet = distinctCharacters(pattern, tree);
  const attacks = new Map<string, Attack>();
  for (const { quantifier, before } of unboundedParts(tree.alternatives, '')) {
    for (const pump of pumpsOf(quantifier, before, alphabet)) {
      for (const after of ENDS) attacks.set(JSON.stringify([before, pump, after]), { before, pump, after });
    }
  }
  return [...attacks.values()];
}

function* pumpsOf(quantifier: AST.Quantifier, before: string, alphabet: readonly string[]): Generator<string> {
  for (const character of alphabet) {
    const example = exampleOf(quantifier.element, character);
    if (example === '') continue;
    yield example;
    if (before !== '') yield before + example;
    for (const other of alphabet) {
      if (other !== character) yield example + exampleOf(quantifier.element, other);
    }
  }
  if (before !== '') yield before;
}

/** One character for each group of characters that the pattern cannot tell from each other. */
function distinctCharacters(pattern: RegExp, tree: AST.Pattern): string[] {
  const sets = leavesOf(tree.alternatives).map(
    ({ raw }) => new RegExp(`^(?:${raw})$`, pattern.flags.replace(/[gmy]/g, '')),
  );
  const groups = new Map<string, string>();
  for (const character of ALPHABET) {
    const key = sets.map((set) => set.test(character)).join();
    if (!groups.has(key)) groups.set(key, character);
  }
  return [...groups.values()];
}

function leavesOf(alternatives: readonly AST.Alternative[]): AST.Element[] {
  return alternatives
    .flatMap(({ elements }) => elements)
    .flatMap((element) => {
      if (element.type === 'Quantifier')
        return 'alternatives' in element.element ? leavesOf(element.element.alternatives) : [element.element];
      if ('alternatives' in element) return leavesOf(element.alternatives);
      return element.type === 'Assertion' || element.type === 'Backreference' ? [] : [element];
    });
}

interface UnboundedPart {
  readonly quantifier: AST.Quantifier;
  /** The shortest text that the pattern accepts before this part. */
  readonly before: string;
}

function* unboundedParts(alternatives: readonly AST.Alternative[], before: string): Generator<UnboundedPart> {
  for (const { elements } of alternatives) {
    let reached = before;
    for (const element of elements) {
      yield* partsOfElement(element, reached);
      reached += exampleOf(element, 'a');
    }
  }
}

function* partsOfElement(element: AST.Element, before: string): Generator<UnboundedPart> {
  if (element.type === 'Quantifier') {
    if (element.max > 100) yield { quantifier: element, before };
    yield* partsOfElement(element.element, before);
  } else if (element.type === 'Group' || element.type === 'CapturingGroup') {
    yield* unboundedParts(element.alternatives, before);
  } else if (element.type === 'Assertion' && 'alternatives' in element) {
    yield* unboundedParts(element.alternatives, before);
  }
}

/** A short text that the element accepts, made of the wished character where a set accepts it. */
function exampleOf(element: AST.Element, wished: string): string {
  switch (element.type) {
    case 'Character':
      return String.fromCodePoint(element.value);
    case 'CharacterSet':
    case 'CharacterClass':
    case 'ExpressionCharacterClass':
      return firstAccepted(element.raw, wished);
    case 'Quantifier':
      return exampleOf(element.element, wished).repeat(Math.min(element.min, 50));
    case 'Group':
    case 'CapturingGroup':
      return alternativeFor(element.alternatives, wished);
    default:
      return '';
  }
}

function alternativeFor(alternatives: readonly AST.Alternative[], wished: string): string {
  const examples = alternatives.map(({ elements }) => elements.map((part) => exampleOf(part, wished)).join(''));
  return examples.find((example) => example.includes(wished)) ?? examples[0] ?? '';
}

function firstAccepted(set: string, wished: string): string {
  const whole = new RegExp(`^(?:${set})$`, /\\p|\\u\{/.test(set) ? 'u' : '');
  return [wished, ...ALPHABET].find((character) => whole.test(character)) ?? '';
}
