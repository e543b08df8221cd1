import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Definitions } from '../../src/model/container.ts';
import { rangeAllows } from '../../src/model/version-range.ts';
import {
  describeErrors,
  type Files,
  mistakesOf,
  packageOf,
  project,
  type ReadProjectOptions,
  readFiles,
  readProject,
} from './project.ts';

/** A recipe of some versions; each version has dependencies of its own, through a flag that has an effect only there. */
function recipe(name: string, versions: Readonly<Record<string, readonly string[]>>, more = ''): Files {
  const flags = Object.entries(versions).map(
    ([version, atoms], index) =>
      `  only${index}: {default: on, when: "=${version}", dependencies: {run: ${JSON.stringify(atoms)}}}\n`,
  );
  const list = Object.keys(versions).map((version) => `  "${version}": {}\n`);
  const text = `name: ${name}\nclass: make\n${more}versions:\n${list.join('')}flags:\n${flags.join('')}`;
  return { [`recipes/${name}/pkg.yaml`]: text };
}

/** container.yaml with the packages of a repository, each a name, or `name, version: …`. */
function container(...packages: readonly string[]): Files {
  const steps = packages.map((text) => `- package: {type: repository, name: ${text}}\n`);
  return { 'container.yaml': `- vars: {name: a, version: 1}\n- base: none\n${steps.join('')}- image: {type: oci}\n` };
}

const CHOICE = { '1.22.1': [], '1.26.0': [], '1.26.3': [], '1.27.1': [], '2.0-rc1': [] };

async function versions(files: Files, options: ReadProjectOptions = {}): Promise<Record<string, string>> {
  return versionsOf(await readFiles(files, options));
}

function versionsOf({ packages }: Definitions): Record<string, string> {
  return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
}

describe('a range', () => {
  const chosen = async (atom: string, options: ReadProjectOptions = {}) =>
    (await versions({ ...container(atom), ...recipe('a/lib', CHOICE) }, options))['a/lib'];

  test('behind the name of a step chooses the newest version it allows', async () => {
    expect(await chosen('a/lib~1.26')).toBe('1.26.3');
    expect(await chosen('a/lib^1.26')).toBe('1.27.1');
    expect(await chosen('"a/lib>=1.22,<1.26.3"')).toBe('1.26.0');
    expect(await chosen('"a/lib >= 1.22, < 1.26.3"')).toBe('1.26.0');
    expect(await chosen('a/lib<2')).toBe('1.27.1');
    expect(await chosen('a/lib!=2.0-rc1')).toBe('1.27.1');
    expect(await chosen('a/lib=1.26')).toBe('1.26.0');
    expect(await chosen('a/lib-1.26.0')).toBe('1.26.0');
    expect(await chosen('a/lib')).toBe('2.0-rc1');
  });

  test('may stand as the version of a step', async () => {
    expect(await chosen('a/lib, version: ~1.26')).toBe('1.26.3');
    expect(await chosen('a/lib, version: ">=1.22,<1.27"')).toBe('1.26.3');
    expect(await chosen('a/lib, version: "!=2.0-rc1, ^1.22"')).toBe('1.27.1');
    expect(await chosen('a/lib, version: 1.22.1')).toBe('1.22.1');
  });

  test('keeps the version that the lock pins as long as it allows that', async () => {
    const pinned = (version: string) => ({ pinnedVersions: { 'a/lib': version } });
    expect(await chosen('a/lib~1.26', pinned('1.26.0'))).toBe('1.26.0');
    expect(await chosen('a/lib~1.26', pinned('1.22.1'))).toBe('1.26.3');
    expect(await chosen('a/lib', pinned('1.22.1'))).toBe('1.22.1');
    // A version that is gone from the recipe matters only where it would be the one.
    expect(await chosen('a/lib~1.26', pinned('1.20'))).toBe('1.26.3');
    const gone = project({ ...container('a/lib~1.26'), ...recipe('a/lib', CHOICE) });
    expect(await mistakesOf(gone, pinned('1.26.1'))).toEqual([
      'lock-outdated - Cannot use version 1.26.1 of "a/lib", which buildit.lock pins: expected one of the recipe, found 2.0-rc1, 1.27.1, 1.26.3, 1.26.0, 1.22.1 | buildit lock a/lib',
    ]);
  });

  test('may stand behind a base, of a package and of the image', async () => {
    const derivation = { ...recipe('a/lib', CHOICE), 'pkgs/nginx/pkg.yaml': 'base: a/lib~1.26\nauthor: Me\n' };
    expect(packageOf(await readFiles(derivation), 'a/lib')).toMatchObject({ version: '1.26.3', author: 'Me' });
    const base = '- vars: {name: a, version: 1}\n- base: a/lib<1.26\n- image: {type: oci}\n';
    const definitions = await readFiles({ ...recipe('a/lib', CHOICE), 'container.yaml': base });
    expect([versionsOf(definitions), definitions.requested]).toEqual([{ 'a/lib': '1.22.1' }, ['a/lib']]);
  });

  test('of a recipe whose name goes on like a version means that recipe', async () => {
    const files = { ...recipe('a/lib', { '1.0~1': [], '2': [] }), ...recipe('a/lib-1.0', { '1.1': [], '2.0': [] }) };
    expect(await versions({ ...container('a/lib-1.0~1'), ...files })).toEqual({ 'a/lib-1.0': '1.1' });
    expect(await versions({ ...container('a/lib-1.0~1'), ...recipe('a/lib', { '1.0~1': [], '2': [] }) })).toEqual({
      'a/lib': '1.0~1',
    });
  });

  test('is kept in the dependency as it is shown', async () => {
    const definitions = await readFiles({
      ...container('a/app'),
      ...recipe('a/lib', CHOICE),
      ...recipe('a/app', { '1': ['a/lib >= 1.22, < 1.27'] }),
    });
    expect(packageOf(definitions, 'a/app').dependencies.run).toMatchObject([
      { category: 'a', name: 'lib', range: { text: '>=1.22,<1.27' } },
    ]);
    expect(versionsOf(definitions)).toEqual({ 'a/app': '1', 'a/lib': '1.26.3' });
  });
});

describe('several demands on one package', () => {
  test('are met by the newest version that all allow, whoever comes first', async () => {
    const files = {
      ...recipe('a/lib', CHOICE),
      ...recipe('a/x', { '1': ['a/lib>=1.26'] }),
      ...recipe('a/y', { '1': ['a/lib<1.27'] }),
      ...recipe('a/z', { '1': ['a/lib!=1.26.3'] }),
    };
    for (const order of [
      ['a/x', 'a/y', 'a/z'],
      ['a/lib', 'a/z', 'a/y', 'a/x'],
      ['a/y', 'a/lib', 'a/x', 'a/z'],
    ]) {
      expect(await versions({ ...container(...order), ...files }), order.join()).toMatchObject({ 'a/lib': '1.26.0' });
    }
  });

  test('that come up late change what was chosen, and what that needed is not needed any more', async () => {
    const files = {
      ...container('a/old', 'a/lib', 'a/late'),
      ...recipe('a/old', { '1': [], '2': [] }),
      ...recipe('a/lib', { '1': [], '2': ['a/old-1', 'a/extra'] }),
      ...recipe('a/extra', { '1': [] }),
      ...recipe('a/late', { '1': ['a/lib<2'] }),
    };
    // lib 2 would hold old at 1; once lib is 1, nobody does.
    expect(await versions(files)).toEqual({ 'a/late': '1', 'a/lib': '1', 'a/old': '2' });
  });

  test('of versions that are not chosen do not stand against those that are', async () => {
    const files = {
      ...container('a/c', 'a/x', 'a/y', 'a/z'),
      ...recipe('a/c', { '1': [], '2': [], '3': [] }),
      ...recipe('a/x', { '1': [], '2': ['a/c=2'] }),
      ...recipe('a/y', { '1': ['a/x<2'] }),
      ...recipe('a/z', { '1': ['a/c<2'] }),
    };
    expect(await versions(files)).toMatchObject({ 'a/c': '1', 'a/x': '1' });
  });

  test('never make a package older than its own demands want it', async () => {
    // app 1 would go with both, but nobody wants app to be 1.
    const directory = project({
      ...container('a/app', 'a/tool'),
      ...recipe('a/app', { '1': ['a/lib<2'], '2': ['a/lib>=1.26'] }),
      ...recipe('a/tool', { '1': ['a/lib<1.26'] }),
      ...recipe('a/lib', CHOICE),
    });
    const [mistake, ...others] = await mistakesOf(directory);
    expect(mistake).toMatch(
      /^dependency-unsatisfied recipes\/a\/tool\/pkg\.yaml:6:57 Cannot choose a version of "a\/lib": a\/tool needs <1\.26, a\/app needs >=1\.26 \| its versions are 2\.0-rc1, 1\.27\.1, 1\.26\.3, 1\.26\.0, 1\.22\.1$/,
    );
    expect(others).toEqual([]);
  });

  test('that exclude each other only together are all named', async () => {
    const directory = project({
      ...container('a/x', 'a/y', 'a/z'),
      ...recipe('a/lib', { '1': [], '2': [], '3': [] }),
      ...recipe('a/x', { '1': ['a/lib!=1'] }),
      ...recipe('a/y', { '1': ['a/lib!=2'] }),
      ...recipe('a/z', { '1': ['a/lib!=3'] }),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(/z needs !=3, a\/x needs !=1, a\/y needs !=2 \| its versions are 3, 2, 1$/),
    ]);
  });

  test('of the container and of a package are told apart by their names', async () => {
    const directory = project({
      ...container('a/lib, version: ~1.26', 'a/x'),
      ...recipe('a/lib', CHOICE),
      ...recipe('a/x', { '1': ['a/lib-1.22.1'] }),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(/^dependency-unsatisfied recipes\/a\/x\/.*a\/x needs 1\.22\.1, the container needs ~1\.26/),
    ]);
  });

  test('that no version meets are complained about where they stand', async () => {
    const directory = project({
      ...container('a/x', 'a/lib, version: ~1.25'),
      ...recipe('a/lib', CHOICE),
      ...recipe('a/x', { '1': ['a/lib>=3'] }),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(
        /^dependency-unsatisfied container\.yaml:4:53 .*"a\/lib": expected ~1\.25, found 2\.0-rc1, 1/,
      ),
      expect.stringMatching(/^dependency-unsatisfied recipes\/a\/x\/.*"a\/lib": expected >=3, found 2\.0-rc1, 1/),
    ]);
  });

  test('in a circle end in a choice that meets all of them, and it is said why', async () => {
    const definitions = await readFiles({
      ...container('a/x', 'a/y'),
      ...recipe('a/x', { '1': [], '2': ['a/y<2'] }),
      ...recipe('a/y', { '1': ['a/x<2'], '2': [] }),
    });
    expect(versionsOf(definitions)).toEqual({ 'a/x': '1', 'a/y': '2' });
    expect(packageOf(definitions, 'a/x').notices).toEqual([
      'a/x is taken in version 1, not 2: with that a/y 1 needs <2',
    ]);
    expect(packageOf(definitions, 'a/y').notices).toEqual([]);
  });

  test('in a circle without an end are named', async () => {
    const directory = project({
      ...container('a/q', 'a/p'),
      ...recipe('a/p', { '1': [], '2': ['a/q!=3'], '3': ['a/s', 'a/q!=2'] }),
      ...recipe('a/q', { '1': [], '2': [], '3': ['a/p<3'] }),
      ...recipe('a/s', { '1': ['a/q>=2'] }),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(
        /^dependency-unsatisfied recipes\/a\/s\/.* a\/s needs >=2, a\/p 2 needs !=3, and the choice goes round in a circle \| name exact versions in container\.yaml$/,
      ),
    ]);
  });

  test('nothing is said about what is wrong with a version that is not chosen', async () => {
    const files = {
      ...container('a/lib', 'a/x'),
      ...recipe('a/lib', { '1': [], '2': ['a/nowhere'] }),
      ...recipe('a/x', { '1': ['a/lib<2'] }),
    };
    expect(await versions(files)).toEqual({ 'a/lib': '1', 'a/x': '1' });
    expect(await mistakesOf(project({ ...files, ...container('a/lib') }))).toEqual([
      expect.stringMatching(/Cannot find "a\/nowhere"/),
    ]);
  });
});

describe('version-scheme', () => {
  const SCHEMES: readonly (readonly [scheme: string, versions: readonly string[], newest: string, tilde: string])[] = [
    ['loose', ['1.0', '1.0rc1', '1.0-beta2'], '1.0', '1.0'],
    ['debian', ['1.0', '1.0rc1', '1.0~rc2'], '1.0rc1', '1.0rc1'],
    ['semver', ['1.0.0', '1.0.0-rc.1', '1.0.1-rc.1'], '1.0.1-rc.1', '1.0.1-rc.1'],
    ['gentoo', ['1.0', '1.0_rc1', '1.0_p1', '1.00.1'], '1.00.1', '1.00.1'],
  ];

  test.each(SCHEMES)('%s decides what is newest', async (scheme, list, newest, tilde) => {
    const files = recipe(
      'a/lib',
      Object.fromEntries(list.map((version) => [version, []])),
      `version-scheme: ${scheme}\n`,
    );
    expect(await versions({ ...container('a/lib'), ...files })).toEqual({ 'a/lib': newest });
    expect(await versions({ ...container('a/lib~1.0'), ...files })).toEqual({ 'a/lib': tilde });
  });

  test('decides at which versions a flag has an effect', async () => {
    const flag = (scheme: string) => ({
      ...container('a/lib'),
      'recipes/a/lib/pkg.yaml': `name: a/lib\nversion: 4~rc1\nclass: make\nversion-scheme: ${scheme}\nflags: {old: {when: "<4"}, tilde: {when: "~4"}}\n`,
    });
    const applies = async (scheme: string) =>
      Object.values(packageOf(await readFiles(flag(scheme)), 'a/lib').flags).map((one) => one.applies);
    expect(await applies('debian')).toEqual([true, false]);
    expect(await applies('loose')).toEqual([false, false]);
  });

  test.each([
    [
      'semver',
      '1.0',
      'container.yaml',
      /"version": expected a version of the scheme semver such as 1\.2\.3-rc\.1, found "1\.0"/,
    ],
    [
      'gentoo',
      '1.0-rc1',
      'container.yaml',
      /"version": expected a version of the scheme gentoo such as .*, found "1\.0-rc1"/,
    ],
    ['debian', '1_0', 'container.yaml', /"version": expected a version of the scheme debian such as .*, found "1_0"/],
    ['sermver', '1.0.0', 'container.yaml', /"version-scheme": expected .*found "sermver" \| did you mean "semver"/],
  ])('%s does not take %s', async (scheme, version, _, message) => {
    const directory = project({
      ...container('a/lib'),
      ...recipe('a/lib', { [version]: [] }, `version-scheme: ${scheme}\n`),
    });
    expect((await mistakesOf(directory))[0]).toMatch(message);
  });

  test('does not compare with versions of another form', async () => {
    const directory = project({
      ...container('a/lib, version: ">=1.0_rc1"'),
      ...recipe('a/lib', { '1.0.0': [] }, 'version-scheme: semver\n'),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(
        /^definition-invalid container\.yaml:3:53 Cannot compare "1\.0_rc1" with the versions of "a\/lib": expected one of the scheme semver/,
      ),
    ]);
  });
});

describe('what is no range', () => {
  const dependency = (list: string): Files => ({
    'pkgs/nginx/pkg.yaml': `name: a/b\nversion: 1\nclass: make\ndependencies: {link: [${list}]}\n`,
  });

  test.each([
    [
      'a comma without quotes',
      dependency('dev-libs/openssl>=3.0,<4'),
      /<4" \| a comma ends an entry of a list: quote the whole/,
    ],
    [
      'a Debian package with one',
      dependency('debian/libssl3>=3'),
      /libssl3>=3" \| Debian packages take no version here/,
    ],
    ['a range without a version', dependency('"dev-libs/openssl>="'), /openssl>=" \| ranges are written like/],
    ['an operator that is none', dependency('"dev-libs/openssl=>3"'), /openssl=>3" \| ranges are written like/],
    [
      'a version and a range',
      dependency('"dev-libs/openssl-3.0.15>=3"'),
      /expected a recipe dev-libs\/openssl-3\.0\.15/,
    ],
    [
      'a range as a Debian version',
      {
        'container.yaml':
          '- vars: {name: a, version: 1}\n- package: {type: debian, name: libc6, version: ">=2"}\n- image: {type: oci}\n',
      },
      /"package\.version": expected a version such as/,
    ],
    [
      'a range that is none',
      container('a/b, version: "=>1"'),
      /expected a version such as 1\.22\.1, or a range such as ~1\.26, found "=>1"/,
    ],
    [
      'two versions',
      container('dev-libs/openssl~3.0, version: ~3.0'),
      /Cannot use "version": the name says version ~3\.0 already/,
    ],
  ] as const)('%s is refused', async (_title, files, message) => {
    expect((await mistakesOf(project(files as Files))).join('\n')).toMatch(message);
  });
});

/** A few packages of three versions, each version with dependencies among the names that `reachable` says. */
function universes(reachable: (index: number) => readonly string[]) {
  const range = fc.constantFrom('', '<2', '<3', '>=2', '=1', '=2', '!=3', '!=2', '-1', '-3');
  const dependencies = (index: number) =>
    fc.uniqueArray(fc.tuple(fc.constantFrom(...reachable(index)), range), { maxLength: 2, selector: ([name]) => name });
  const versions = (index: number) => fc.tuple(dependencies(index), dependencies(index), dependencies(index));
  return fc
    .tuple(
      fc.tuple(...NAMES.map((_, index) => versions(index))),
      fc.shuffledSubarray([...NAMES, 'a/leaf'], { minLength: 2 }),
    )
    .map(([all, asked]): Files => {
      const recipes = all.map((of, index) => {
        const atoms = of.map((list, at) => [String(at + 1), list.map((atom) => atom.join(''))] as const);
        return recipe(NAMES[index]!, Object.fromEntries(atoms));
      });
      return Object.assign(container(...asked), recipe('a/leaf', { '1': [], '2': [], '3': [] }), ...recipes);
    });
}

const NAMES = ['a/p', 'a/q', 'a/r', 'a/s'];

/** What was chosen; undefined where all that is complained about is what was expected. */
async function outcome(files: Files, expected: RegExp): Promise<Definitions | undefined> {
  const directory = project(files);
  try {
    return await readProject(directory);
  } catch (error) {
    for (const mistake of describeErrors(error, directory)) expect(mistake).toMatch(expected);
    return undefined;
  }
}

/** The versions that the demands of chosen packages allow, newest first. */
function allowedBy({ packages }: Definitions, name: string): readonly string[] {
  const demands = packages.flatMap(({ dependencies }) =>
    dependencies.run.filter((atom) => `${atom.category}/${atom.name}` === name),
  );
  return ['3', '2', '1'].filter((one) =>
    demands.every(({ version, range }) =>
      range === undefined ? (version ?? one) === one : rangeAllows(range, one, 'loose'),
    ),
  );
}

describe('whatever packages demand, the choice ends', () => {
  test('with the newest versions that all demands allow, or two demands are named', { timeout: 120_000 }, async () => {
    let solved = 0;
    const universe = universes((index) => [...NAMES.slice(index + 1), 'a/leaf']);
    await fc.assert(
      fc.asyncProperty(universe, async (files) => {
        const definitions = await outcome(files, /^dependency-unsatisfied .* needs .*, .* needs /);
        if (definitions === undefined) return;
        solved += 1;
        for (const { name, version } of definitions.packages) expect(version).toBe(allowedBy(definitions, name)[0]);
      }),
      { numRuns: 40 },
    );
    expect(solved).toBeGreaterThan(5);
  });

  test('also where versions of packages need each other', { timeout: 120_000 }, async () => {
    let solved = 0;
    const universe = universes((index) => [...NAMES.filter((_, other) => other !== index), 'a/leaf']);
    await fc.assert(
      fc.asyncProperty(universe, async (files) => {
        const definitions = await outcome(files, /^dependency-(cycle|unsatisfied .* needs .*, .* needs )/);
        if (definitions === undefined) return;
        solved += 1;
        for (const { name, version, notices } of definitions.packages) {
          const allowed = allowedBy(definitions, name);
          if (notices.length === 0) expect(version).toBe(allowed[0]);
          else expect(allowed).toContain(version);
        }
      }),
      { numRuns: 60 },
    );
    expect(solved).toBeGreaterThan(5);
  });
});
