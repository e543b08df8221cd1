import { describe, expect, test } from 'vitest';
import { createOutputSurvey, surveyArguments } from '../../src/build/output-survey.ts';

const limits = { maxBytes: 10 * 2 ** 20, maxEntries: 5, maxDepth: 3 };

function faultOf(...lines: readonly string[]): string | undefined {
  const survey = createOutputSurvey(limits);
  for (const line of lines) survey.add(`${line}\0`);
  return survey.fault();
}

describe('a survey of an output', () => {
  test('finds nothing wrong with what a package can hold', () => {
    expect(faultOf('d 1 4096 2 1 usr', 'f 2 10485760 1 2 usr/a b', 'l 2 5 1 3 usr/l')).toBeUndefined();
    expect(faultOf()).toBeUndefined();
  });

  test('adds sizes as they read, and each file with several names once', () => {
    expect(faultOf('f 1 6291456 2 7 a', 'f 1 6291456 2 7 b')).toBeUndefined();
    expect(faultOf('f 1 6291456 1 7 a', 'f 1 6291457 1 8 b')).toBe(
      'the files of the output have 13 MiB, more than 10 MiB: /b has 7 MiB',
    );
    expect(faultOf('f 1 9007199254740993 1 7 a')).toMatch(/more than 10 MiB/);
  });

  test('stops at what is too deep or too many, and shortens names', () => {
    expect(faultOf('d 3 0 2 1 a/b/c')).toBeUndefined();
    expect(faultOf('d 4 0 2 1 a/b/c/d')).toBe('the output is deeper than 3 directories: /a/b/c/d');
    expect(faultOf(`d 4 0 2 1 ${'x'.repeat(4000)}`)?.length).toBeLessThan(200);
    const survey = createOutputSurvey(limits);
    expect(survey.add('d 1 0 2 1 a\0'.repeat(5))).toBe(false);
    expect(survey.add('d 1 0 2 1 a\0')).toBe(true);
    expect(survey.fault()).toBe('the output holds more than 5 files and directories');
  });

  test('names sockets, pipes and devices, five at most, whatever their names hold', () => {
    expect(faultOf('s 1 0 1 1 a\nb', 'p 1 0 1 2 c d', 'c 1 0 1 3 e')).toBe(
      'the output holds sockets, named pipes or devices: /a\\u000ab, /c d, /e',
    );
    const survey = createOutputSurvey({ ...limits, maxEntries: 100 });
    for (let index = 0; index < 8; index += 1) survey.add(`p 1 0 1 ${index} ${index}\0`);
    expect(survey.fault()).toMatch(/: \/0, \/1, \/2, \/3, \/4 and 3 more$/);
  });

  test('takes lines in pieces, and asks find for no more than one level too many', () => {
    const survey = createOutputSurvey(limits);
    for (const piece of ['p 1 0', ' 1 1 x', 'y', '\0']) survey.add(piece);
    expect(survey.fault()).toMatch(/: \/xy$/);
    expect(surveyArguments(limits).slice(0, 4)).toEqual(['-mindepth', '1', '-maxdepth', '4']);
  });
});
