import { describe, expect, test } from 'vitest';
import { ALTERNATIVES } from '../../src/model/alternatives.ts';
import { isCleanRelativePath } from '../../src/model/names.ts';
import { alternativeLinks } from '../../src/model/script-effects.ts';

const effects = (...paths: string[]) => alternativeLinks(new Set(paths));

describe('links of maintainer scripts', () => {
  test('links the alternative with the highest priority that is there', () => {
    expect(effects('usr/bin/mawk')).toEqual([
      { kind: 'link', path: 'usr/bin/awk', target: 'mawk' },
      { kind: 'link', path: 'usr/bin/nawk', target: 'mawk' },
    ]);
    expect(effects('usr/bin/mawk', 'usr/bin/gawk')[0]).toMatchObject({ target: 'gawk' });
  });

  test('leaves alone what is there', () => {
    expect(effects('usr/bin/mawk', 'usr/bin/awk', 'usr/bin/nawk')).toEqual([]);
  });

  test('follows targets upwards', () => {
    expect(effects('usr/bin/cpp')).toEqual([{ kind: 'link', path: 'usr/lib/cpp', target: '../bin/cpp' }]);
    expect(effects('usr/lib/jvm/java-17-openjdk-amd64/bin/java')).toEqual([
      { kind: 'link', path: 'usr/bin/java', target: '../lib/jvm/java-17-openjdk-amd64/bin/java' },
    ]);
  });

  test('an empty tree needs nothing', () => {
    expect(effects()).toEqual([]);
  });

  test('the table holds clean paths only, and no link to itself', () => {
    for (const [path, targets] of Object.entries(ALTERNATIVES)) {
      expect(isCleanRelativePath(path)).toBe(true);
      expect(targets.length).toBeGreaterThan(0);
      expect(targets.every((target) => !path.endsWith(`/${target}`) && !target.startsWith('/'))).toBe(true);
    }
  });
});
