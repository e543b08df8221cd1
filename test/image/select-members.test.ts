import { describe, expect, test } from 'vitest';
import type { ImageCandidate } from '../../src/image/image-member.ts';
import { reasonText } from '../../src/image/member-reason.ts';
import { selectMembers } from '../../src/image/select-members.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { ElfFacts, KeptLayer } from '../../src/model/layer.ts';
import type { DebianPin } from '../../src/model/lock.ts';
import type { Atom, ResolvedPackage } from '../../src/model/package.ts';
import { type PackageRecord, RECORD_FORMAT } from '../../src/model/record.ts';

const lib = 'usr/lib/x86_64-linux-gnu';

function elf(path: string, needed: readonly string[], soname?: string, defines: readonly string[] = []): ElfFacts {
  return {
    path,
    machine: 'x86_64',
    soname,
    interpreter: undefined,
    needed: needed.map((text) => {
      const [name, ...versions] = text.split('@');
      return { soname: name!, versions };
    }),
    defines,
    runPaths: [],
  };
}

function record(name: string, kind: 'build' | 'debian', facts: readonly ElfFacts[]): PackageRecord {
  const layer: KeptLayer = {
    diffId: sha256(`layer ${name}`),
    size: 1024,
    listing: sha256(`listing ${name}`),
    elf: facts,
  };
  return {
    format: RECORD_FORMAT,
    kind,
    hash: sha256(name),
    buildKey: undefined,
    name,
    version: '1',
    platform: 'linux/amd64',
    outputs: { main: layer },
    sources: [],
    patches: [],
    sourceDate: 0,
    builder: 'test',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
    log: undefined,
  };
}

function atom(text: string): Atom {
  const [category, name] = text.split('/');
  return { category: category!, name: name! };
}

function built(
  name: string,
  facts: readonly ElfFacts[] = [],
  { run = [], replaces = [] }: { run?: readonly string[]; replaces?: readonly string[] } = {},
): ImageCandidate {
  const definition = {
    name,
    version: '1',
    license: 'MIT',
    users: [],
    dependencies: { build: [], link: [], run: run.map(atom), test: [] },
    replaces: replaces.map(atom),
  } as unknown as ResolvedPackage;
  return { kind: 'build', hash: sha256(name), package: definition, record: record(name, 'build', facts) };
}

function debian(name: string, depends: readonly string[] = [], facts: readonly ElfFacts[] = []): ImageCandidate {
  const pin = { name, version: '1', depends, source: { name, version: '1' } } as unknown as DebianPin;
  return { kind: 'debian', hash: sha256(`debian/${name}`), pin, record: record(name, 'debian', facts) };
}

const base = built('sys-apps/baselayout');
const libc = debian('libc6', ['libgcc-s1'], [elf(`${lib}/libc.so.6`, [], 'libc.so.6', ['GLIBC_2.2.5', 'GLIBC_2.34'])]);
const libgcc = debian('libgcc-s1', ['gcc-12-base', 'libc6']);
const gccBase = debian('gcc-12-base');

function select(requested: readonly ImageCandidate[], others: readonly ImageCandidate[]) {
  return selectMembers({
    requested: requested.map(({ hash }) => hash),
    base: base.hash,
    candidates: [...requested, ...others],
  });
}

function names(selected: ReturnType<typeof select>): string[] {
  return selected.members.map(({ name }) => name);
}

describe('members of an image', () => {
  test('are the base, then what is needed before what needs it, circles together and by name', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libc.so.6@GLIBC_2.34'])]);
    expect(names(select([base, app], [libgcc, gccBase, libc, debian('unused')]))).toEqual([
      'sys-apps/baselayout',
      'debian/gcc-12-base',
      'debian/libc6',
      'debian/libgcc-s1',
      'app-misc/app',
    ]);
  });

  test('are the same in the same order however the candidates are sorted', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libc.so.6', 'liba.so', 'libb.so'])]);
    const others = [
      libc,
      libgcc,
      gccBase,
      built('dev-libs/b', [elf(`${lib}/libb.so`, [], 'libb.so')]),
      built('dev-libs/a', [elf(`${lib}/liba.so`, [], 'liba.so')]),
    ];
    expect(select([base, app], others)).toEqual(select([base, app], others.toReversed()));
  });

  test('a library comes from the package itself first, then from recipes, then from Debian', () => {
    const zlib = elf(`${lib}/libz.so.1`, [], 'libz.so.1');
    const own = built('app-misc/own', [
      elf('usr/bin/own', ['libz.so.1']),
      elf('usr/lib/own/libz.so.1', [], 'libz.so.1'),
    ]);
    const other = built('app-misc/other', [elf('usr/bin/other', ['libz.so.1'])]);
    const candidates = [debian('zlib1g', [], [zlib]), built('sys-libs/zlib', [zlib])];
    expect(names(select([base, own], candidates))).toEqual(['sys-apps/baselayout', 'app-misc/own']);
    expect(names(select([base, other], candidates))).toEqual([
      'sys-apps/baselayout',
      'sys-libs/zlib',
      'app-misc/other',
    ]);
    expect(names(select([base, other], candidates.slice(0, 1)))).toContain('debian/zlib1g');
  });

  test('a private copy of a library in a directory nobody searches gives way to a public one', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libz.so.1'])]);
    const bundle = built('app-misc/bundle', [elf('opt/bundle/libz.so.1', [], 'libz.so.1')]);
    const zlib = debian('zlib1g', [], [elf(`${lib}/libz.so.1`, [], 'libz.so.1')]);
    expect(names(select([base, app], [bundle, zlib]))).toEqual([
      'sys-apps/baselayout',
      'debian/zlib1g',
      'app-misc/app',
    ]);
  });

  test('a run path leads to a private library of another package', () => {
    const needing = { ...elf('usr/bin/app', ['libp.so.1']), runPaths: ['$ORIGIN/../lib/private'] };
    const app = built('app-misc/app', [needing]);
    const decoy = built('app-misc/a-decoy', [elf('opt/decoy/libp.so.1', [], 'libp.so.1')]);
    const owner = built('app-misc/owner', [elf('usr/lib/private/libp.so.1', [], 'libp.so.1')]);
    expect(names(select([base, app], [decoy, owner]))).toEqual([
      'sys-apps/baselayout',
      'app-misc/owner',
      'app-misc/app',
    ]);
  });

  test('a library for another machine does not count', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libz.so.1'])]);
    const foreign = built('sys-libs/zlib32', [{ ...elf(`${lib}/libz.so.1`, [], 'libz.so.1'), machine: 'i386' }]);
    expect(() => select([base, app], [foreign])).toThrow('usr/bin/app needs libz.so.1');
  });

  test('a library without the symbol versions that are needed is not taken', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libz.so.1@ZLIB_1.3'])]);
    const old = built('sys-libs/zlib', [elf(`${lib}/libz.so.1`, [], 'libz.so.1', ['ZLIB_1.2'])]);
    const recent = debian('zlib1g', [], [elf(`${lib}/libz.so.1`, [], 'libz.so.1', ['ZLIB_1.2', 'ZLIB_1.3'])]);
    expect(names(select([base, app], [old, recent]))).toContain('debian/zlib1g');
    expect(() => select([base, app], [old])).toThrow(
      'Cannot assemble the image with "app-misc/app": usr/bin/app needs libz.so.1, and sys-libs/zlib has it without ZLIB_1.3',
    );
  });

  test('a library that nobody has is an error that names file and library, for each', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libx.so.1']), elf('usr/bin/b', ['liby.so.2'])]);
    expect(() => select([base, app], [])).toThrow(
      expect.objectContaining({
        errors: [
          expect.objectContaining({
            code: 'dependency-unsatisfied',
            message: expect.stringContaining('usr/bin/app needs libx.so.1'),
          }),
          expect.objectContaining({ message: expect.stringContaining('usr/bin/b needs liby.so.2') }),
        ],
      }),
    );
  });

  test('what a recipe declares that it runs comes along, and must be there', () => {
    const app = built('app-misc/app', [], { run: ['debian/bash', 'dev-lang/tool'] });
    expect(names(select([base, app], [debian('bash'), built('dev-lang/tool')]))).toEqual([
      'sys-apps/baselayout',
      'debian/bash',
      'dev-lang/tool',
      'app-misc/app',
    ]);
    expect(() => select([base, app], [built('dev-lang/tool')])).toThrow('Cannot find "debian/bash" for the image');
  });

  test('packages that only maintainer scripts need stay away, with what only they need', () => {
    const tool = debian('tool', ['debconf', 'libc6']);
    const candidates = [debian('debconf', ['perl-base']), debian('perl-base'), libc, libgcc, gccBase];
    expect(names(select([base, tool], candidates))).toEqual([
      'sys-apps/baselayout',
      'debian/gcc-12-base',
      'debian/libc6',
      'debian/libgcc-s1',
      'debian/tool',
    ]);
  });

  test('reasons tell why each is there', () => {
    const app = built('app-misc/app', [elf('usr/bin/app', ['libc.so.6'])]);
    const { reasons } = select([base, app], [libc, libgcc, gccBase]);
    expect(reasons.get('sys-apps/baselayout')!.map(reasonText)).toEqual(['the base of the image']);
    expect(reasons.get('app-misc/app')!.map(reasonText)).toEqual(['the container asks for it']);
    expect(reasons.get('debian/libc6')!.map(reasonText)).toEqual([
      'app-misc/app needs libc.so.6 (usr/bin/app)',
      'debian/libgcc-s1 depends on it',
    ]);
  });
});

describe('a replacement', () => {
  const curl = debian('curl', ['libssl3', 'libc6'], [elf('usr/bin/curl', ['libssl.so.3@OPENSSL_3.0.0'])]);
  const libssl = debian(
    'libssl3',
    ['libc6'],
    [
      elf(`${lib}/libssl.so.3`, [], 'libssl.so.3', ['OPENSSL_3.0.0', 'OPENSSL_3.0.9']),
      elf(`${lib}/ossl-modules/legacy.so`, [], 'legacy.so'),
    ],
  );
  const rest = [libc, libgcc, gccBase];
  const app = built('app-misc/app', [elf('usr/bin/app', ['libssl.so.3'])]);

  test('in the image takes the place of what it replaces for everybody', () => {
    const openssl = built(
      'dev-libs/openssl',
      [elf(`${lib}/libssl.so.3`, ['libc.so.6'], 'libssl.so.3', ['OPENSSL_3.0.0', 'OPENSSL_3.0.9', 'OPENSSL_3.2.0'])],
      {
        replaces: ['debian/libssl3'],
      },
    );
    const selected = select([base, app, curl], [openssl, libssl, ...rest]);
    expect(names(selected)).not.toContain('debian/libssl3');
    expect(names(selected).indexOf('dev-libs/openssl')).toBeLessThan(names(selected).indexOf('debian/curl'));
    expect([...selected.replaced]).toEqual([['debian/libssl3', 'dev-libs/openssl']]);
    expect(selected.reasons.get('dev-libs/openssl')!.map(reasonText)).toContain(
      'debian/curl depends on debian/libssl3, which it replaces',
    );
  });

  test('that nobody asked for replaces nothing', () => {
    const openssl = built('dev-libs/openssl', [elf(`${lib}/libssl.so.3`, [], 'libssl.so.3')], {
      replaces: ['debian/libssl3'],
    });
    expect(names(select([base, curl], [openssl, libssl, ...rest]))).toContain('debian/libssl3');
  });

  test('takes no place of what was built here from a Debian source package: both were asked for', () => {
    const openssl = built('dev-libs/openssl', [elf(`${lib}/libssl.so.3`, [], 'libssl.so.3')], {
      replaces: ['debian/libssl3'],
    });
    const definition = { name: 'debian-source/openssl' } as unknown as ResolvedPackage;
    const patched = { ...debian('libssl3'), built: { hash: sha256('built'), package: definition } } as ImageCandidate;
    expect(() => select([base, patched, openssl], rest)).toThrow(
      expect.objectContaining({
        code: 'definition-invalid',
        message:
          'Cannot put "debian/libssl3" of "debian-source/openssl" into the image: expected nothing in its place, found "dev-libs/openssl", which replaces it',
      }),
    );
  });

  test('must define every library and symbol version, and private modules do not count', () => {
    const openssl = built('dev-libs/openssl', [elf(`${lib}/libssl.so.3`, [], 'libssl.so.3', ['OPENSSL_3.0.0'])], {
      replaces: ['debian/libssl3'],
    });
    expect(() => select([base, app, curl], [openssl, libssl, ...rest])).toThrow(
      expect.objectContaining({
        code: 'dependency-unsatisfied',
        message: expect.stringContaining('Cannot replace "debian/libssl3" by "dev-libs/openssl"'),
        details: ['libssl.so.3 version OPENSSL_3.0.9'],
      }),
    );
  });

  test('may depend on what it replaces without waiting for itself', () => {
    const openssl = built(
      'dev-libs/openssl',
      [elf(`${lib}/libssl.so.3`, [], 'libssl.so.3', ['OPENSSL_3.0.0', 'OPENSSL_3.0.9'])],
      {
        run: ['debian/libssl3'],
        replaces: ['debian/libssl3'],
      },
    );
    expect(names(select([base, openssl], [libssl, ...rest]))).toEqual(['sys-apps/baselayout', 'dev-libs/openssl']);
  });
});
