import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AvailablePackage } from '../../src/debian/indexed-package.ts';
import { createUniverse } from '../../src/debian/package-universe.ts';
import { parsePackages } from '../../src/debian/parse-packages.ts';
import { type ResolveRequest, resolvePackages } from '../../src/debian/resolve-packages.ts';
import { BuilditError } from '../../src/model/errors.ts';
import type { DebianSet } from '../../src/model/lock.ts';
import { stanza } from './own-archive.ts';

type Fields = Readonly<Record<string, string>>;

function suiteOf(suite: string, packages: readonly (readonly [string, Fields?])[]): AvailablePackage[] {
  const text = packages.map(([name, fields]) => stanza(name, fields)).join('\n');
  const entries = parsePackages(text, 'Packages', 'amd64');
  return entries.map((entry) => ({ ...entry, suite, archive: 'debian', date: '2026-01-01T00:00:00Z' }));
}

function resolve(packages: readonly (readonly [string, Fields?])[], request: ResolveRequest | string): DebianSet {
  const wants = typeof request === 'string' ? { wants: request.split(' ').map((name) => ({ name })) } : request;
  return resolvePackages(createUniverse(suiteOf('stable', packages), 'amd64'), wants);
}

const names = (set: DebianSet) => Object.keys(set).join(' ');
const needs = (list: string): Fields => ({ Depends: list });

function failure(packages: readonly (readonly [string, Fields?])[], request: ResolveRequest | string): BuilditError {
  try {
    throw new Error(`resolved to ${names(resolve(packages, request))}`);
  } catch (error) {
    expect(error).toMatchObject({ code: 'dependency-unsatisfied' });
    return error as BuilditError;
  }
}

describe('resolvePackages', () => {
  test('takes what is wanted and everything that needs, with edges, and nothing else', () => {
    const set = resolve(
      [['app', { 'Pre-Depends': 'libc6', Depends: 'libapp' }], ['libapp', needs('libc6')], ['libc6'], ['other']],
      'app',
    );
    expect(names(set)).toBe('app libapp libc6');
    expect(set.app!.depends).toEqual(['libapp', 'libc6']);
    expect(set.libc6!.depends).toEqual([]);
  });

  test('gives a pin everything that fetching it later takes', () => {
    expect(resolve([['app', { Source: 'apps (2-1)', Essential: 'yes', 'Multi-Arch': 'same' }]], 'app').app).toEqual({
      name: 'app',
      version: '1.0-1',
      architecture: 'amd64',
      suite: 'stable',
      archive: 'debian',
      date: '2026-01-01T00:00:00Z',
      path: 'pool/main/a/app/app_1.0-1_amd64.deb',
      size: 1000,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      depends: [],
      source: { name: 'apps', version: '2-1' },
      essential: true,
      multiArchSame: true,
    });
  });

  test('takes the newest version of all suites, and of equal ones that of the first suite', () => {
    const entries = [
      ...suiteOf('stable', [
        ['app', { Version: '1.9' }],
        ['lib', { Version: '2' }],
      ]),
      ...suiteOf('security', [
        ['app', { Version: '1.10' }],
        ['lib', { Version: '2' }],
      ]),
    ];
    const set = resolvePackages(createUniverse(entries, 'amd64'), { wants: [{ name: 'app' }, { name: 'lib' }] });
    expect([set.app!.version, set.app!.suite, set.lib!.suite]).toEqual(['1.10', 'security', 'stable']);
  });

  test('takes an exact older version, and older ones of what must go with it', () => {
    const entries = [
      ...suiteOf('stable', [
        ['lib', { Version: '1' }],
        ['lib-dev', { Version: '1', Depends: 'lib (= 1)' }],
      ]),
      ...suiteOf('security', [
        ['lib', { Version: '2' }],
        ['lib-dev', { Version: '2', Depends: 'lib (= 2)' }],
      ]),
    ];
    const universe = createUniverse(entries, 'amd64');
    const set = resolvePackages(universe, { wants: [{ name: 'lib-dev', version: '1' }] });
    expect([set['lib-dev']!.version, set.lib!.version]).toEqual(['1', '1']);
    expect(() => resolvePackages(universe, { wants: [{ name: 'lib', version: '3' }] })).toThrow(/found 2, 1$/);
  });

  test('prefers the first alternative that can be had', () => {
    const packages: [string, Fields?][] = [['app', needs('absent | second | third')], ['second'], ['third']];
    expect(names(resolve(packages, 'app'))).toBe('app second');
  });

  test('prefers an alternative that is chosen already', () => {
    const packages: [string, Fields?][] = [['app', needs('first | second')], ['first'], ['second']];
    expect(names(resolve(packages, 'app second'))).toBe('app second');
  });

  test('counts versions inside alternatives', () => {
    const packages: [string, Fields?][] = [['app', needs('lib (<< 1) | other')], ['lib'], ['other']];
    expect(names(resolve(packages, 'app'))).toBe('app other');
  });

  test.each([
    ['<<', '1.0-2', true],
    ['<<', '1.0-1', false],
    ['<=', '1.0-1', true],
    ['<=', '1.0-0', false],
    ['=', '1.0-1', true],
    ['=', '1.0', false],
    ['>=', '1.0-1', true],
    ['>=', '1:0.1', false],
    ['>>', '1.0', true],
    ['>>', '1.0-1', false],
    ['<', '1.0-1', true],
    ['>', '1.0-1', true],
  ])('a need of lib (%s %s) against 1.0-1 is met: %s', (operator, operand, isMet) => {
    const packages: [string, Fields?][] = [['app', needs(`lib (${operator} ${operand})`)], ['lib']];
    if (isMet) expect(names(resolve(packages, 'app'))).toBe('app lib');
    else failure(packages, 'app');
  });

  test('takes a provider of a virtual package: the real one first, then essential, then by priority, then by name', () => {
    const provider = (priority: string, more: Fields = {}): Fields => ({
      Provides: 'virtual',
      Priority: priority,
      ...more,
    });
    const app: [string, Fields] = ['app', needs('virtual')];
    const rest: [string, Fields][] = [
      ['aaa', provider('optional')],
      ['zzz', provider('standard')],
    ];
    expect(names(resolve([app, ...rest], 'app'))).toBe('app zzz');
    expect(names(resolve([app, ...rest, ['xxx', provider('extra', { Essential: 'yes' })]], 'app'))).toBe('app xxx');
    expect(names(resolve([app, ...rest, ['virtual']], 'app'))).toBe('app virtual');
    expect(names(resolve([app, ['bbb', provider('optional')], ['aaa', provider('optional')]], 'app'))).toBe('aaa app');
  });

  test('a versioned need is met by a versioned provision alone', () => {
    const app: [string, Fields] = ['app', needs('virtual (>= 2)')];
    expect(names(resolve([app, ['aaa', { Provides: 'virtual' }], ['bbb', { Provides: 'virtual (= 3)' }]], 'app'))).toBe(
      'app bbb',
    );
    failure([app, ['aaa', { Provides: 'virtual (= 1)' }]], 'app');
  });

  test('`:any` needs a package that allows it, another architecture is never there', () => {
    const allowed: Fields = { 'Multi-Arch': 'allowed' };
    expect(
      names(
        resolve(
          [
            ['app', needs('perl:any')],
            ['perl', allowed],
          ],
          'app',
        ),
      ),
    ).toBe('app perl');
    expect(names(resolve([['app', needs('perl:amd64')], ['perl']], 'app'))).toBe('app perl');
    failure([['app', needs('perl:any')], ['perl']], 'app');
    failure(
      [
        ['app', needs('perl:i386')],
        ['perl', allowed],
      ],
      'app',
    );
  });

  test('tries the next alternative where one leads into a conflict, however deep', () => {
    const packages: [string, Fields?][] = [
      ['app', needs('keeper, first | second')],
      ['keeper', { Conflicts: 'enemy' }],
      ['first', needs('inner')],
      ['inner', needs('enemy')],
      ['enemy'],
      ['second'],
    ];
    expect(names(resolve(packages, 'app'))).toBe('app keeper second');
  });

  test.each([
    ['Conflicts of the newcomer', { Conflicts: 'old (<< 2)' }, {}],
    ['Breaks of the newcomer', { Breaks: 'old' }, {}],
    ['a conflict with what the other provides', { Conflicts: 'role', Provides: 'role' }, { Provides: 'role' }],
  ])('%s count', (_, fields, oldFields) => {
    const error = failure(
      [
        ['new', fields],
        ['old', oldFields],
      ],
      'new old',
    );
    expect(error.message).toMatch(/(new 1\.0-1 conflicts with old|old 1\.0-1 conflicts with new)/);
  });

  test('a package does not conflict with itself', () => {
    expect(names(resolve([['app', { Conflicts: 'role, app (<< 1)', Provides: 'role' }]], 'app'))).toBe('app');
  });

  test('a conflict that does not concern the version at hand does not count', () => {
    expect(names(resolve([['new', { Conflicts: 'old (<< 1)' }], ['old']], 'new old'))).toBe('new old');
  });

  test('cycles are fine', () => {
    const set = resolve(
      [
        ['aaa', needs('bbb')],
        ['bbb', needs('aaa')],
      ],
      'aaa',
    );
    expect(set.bbb!.depends).toEqual(['aaa']);
  });

  test('usr-is-merged stands for usrmerge wherever a need names both', () => {
    const packages: [string, Fields?][] = [
      ['init-system-helpers', needs('usrmerge | usr-is-merged')],
      ['usrmerge', needs('perl')],
      ['usr-is-merged'],
      ['perl'],
    ];
    expect(names(resolve(packages, 'init-system-helpers'))).toBe('init-system-helpers usr-is-merged');
    expect(names(resolve(packages.slice(0, 2).concat(packages.slice(3)), 'init-system-helpers'))).toContain('usrmerge');
  });

  test('essential packages are there where they are asked for, and only then', () => {
    const packages: [string, Fields?][] = [['app'], ['dash', { Essential: 'yes', Depends: 'libc6' }], ['libc6']];
    expect(names(resolve(packages, 'app'))).toBe('app');
    const set = resolve(packages, { wants: [{ name: 'app' }], essential: true });
    expect(names(set)).toBe('app dash libc6');
    expect(set.dash!.essential).toBe(true);
  });

  test('says the chain of needs that cannot be met', () => {
    const error = failure([['app', needs('middle')], ['middle', needs('lib (>= 2)')], ['lib']], 'app');
    expect(error.message).toBe(
      'Cannot resolve "debian/app": expected packages that go together, found that lib is there as 1.0-1',
    );
    expect(error.details).toEqual(['app 1.0-1 needs middle', 'middle 1.0-1 needs lib (>= 2)']);
  });

  test('helps with names that are not there', () => {
    expect(failure([['libssl-dev']], 'openssl-dev').hint).toBeUndefined();
    expect(failure([['libssl-dev']], 'ssl').hint).toBe('did you mean libssl-dev?');
    expect(failure([['zlib1g'], ['zlib1g-dev'], ['zlibx']], 'zlib1g-deb').hint).toBe(
      'did you mean zlib1g, zlib1g-dev?',
    );
    expect(failure([['mawk', { Provides: 'awk' }]], 'awk').hint).toBe('name one that provides it: mawk');
  });

  test('a hopeless maze ends', () => {
    const layers = Array.from({ length: 40 }, (_, layer) => layer);
    const packages = layers.flatMap((layer): [string, Fields][] =>
      ['left', 'right'].map((side) => [
        `${side}${layer}`,
        needs(layer === 39 ? 'absent' : `left${layer + 1} | right${layer + 1}`),
      ]),
    );
    expect(failure(packages, 'left0').message).toContain('too many combinations');
  });

  test('the order of wants and of the index changes nothing', () => {
    const packages: [string, Fields?][] = [
      ['aaa', needs('role | bbb')],
      ['bbb', { Provides: 'role', Conflicts: 'role' }],
      ['ccc', { Provides: 'role', Conflicts: 'role' }],
      ['ddd', needs('ccc | bbb')],
    ];
    const expected = resolve(packages, 'aaa ddd');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(packages, { minLength: packages.length }),
        fc.shuffledSubarray(['aaa', 'ddd'], { minLength: 2 }),
        (shuffled, wants) => {
          expect(resolve(shuffled, wants.join(' '))).toEqual(expected);
        },
      ),
    );
  });

  test('whatever it finds is closed and free of conflicts', () => {
    const name = fc.constantFrom('aa', 'bb', 'cc', 'dd', 'ee', 'ff');
    const list = fc.array(fc.array(name, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
    const world = fc.dictionary(name, fc.record({ depends: list, conflicts: fc.array(name, { maxLength: 2 }) }));
    fc.assert(
      fc.property(world, name, (packages, wanted) => {
        const text = Object.entries(packages).map(([own, { depends, conflicts }]): [string, Fields] => [
          own,
          { Depends: depends.map((group) => group.join(' | ')).join(', '), Conflicts: conflicts.join(', ') },
        ]);
        let set: DebianSet;
        try {
          set = resolve(text, wanted);
        } catch (error) {
          expect(error).toBeInstanceOf(BuilditError);
          return;
        }
        for (const own of Object.keys(set)) {
          const { depends, conflicts } = packages[own]!;
          for (const group of depends) expect(group.some((other) => Object.hasOwn(set, other))).toBe(true);
          for (const enemy of conflicts) expect(enemy === own || !Object.hasOwn(set, enemy)).toBe(true);
          for (const other of set[own]!.depends) expect(Object.hasOwn(set, other)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('resolving beside what is fixed', () => {
  const old: [string, Fields?][] = [
    ['app', { Version: '1', Depends: 'lib' }],
    ['lib', { Version: '1', Provides: 'lib-abi (= 1)' }],
    ['unused', { Version: '1' }],
  ];
  const current: [string, Fields?][] = [
    ['app', { Version: '2', Depends: 'lib (>= 2)' }],
    ['lib', { Version: '2', Provides: 'lib-abi (= 2)' }],
    ['plugin', needs('app, lib-abi (= 1)')],
    ['other', needs('unused | lib')],
    ['strict', needs('lib (>= 2)')],
  ];
  const fixed = resolve(old, 'app lib unused');

  test('pins stay as they are, also those that have left the archive', () => {
    const set = resolve(current, { wants: [{ name: 'plugin' }], fixed });
    expect(names(set)).toBe('app lib plugin');
    expect(set.app).toEqual(fixed.app);
    expect(set.lib).toEqual(fixed.lib);
  });

  test('what is fixed is preferred, and is in the result only where something needs it', () => {
    const set = resolve(current, { wants: [{ name: 'other' }], fixed });
    expect(names(set)).toBe('other unused');
  });

  test('what needs another version than the fixed one is refused, naming it', () => {
    const error = failure(current, { wants: [{ name: 'strict' }], fixed });
    expect(error.message).toContain('lib 1 is chosen already');
    expect(failure(current, { wants: [{ name: 'lib', version: '2' }], fixed }).message).toContain('held by a lock');
  });

  test('a pin taken out of the set is chosen anew', () => {
    const { lib: _, ...rest } = fixed;
    const set = resolve(current, { wants: [{ name: 'app' }], fixed: rest });
    expect([set.app!.version, set.lib!.version]).toEqual(['1', '2']);
  });
});
