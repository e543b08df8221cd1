import { describe, expect, test } from 'vitest';
import { judgeOutputs } from '../../../src/build/lint/judge-outputs.ts';
import { directoryMember, fileMember, once, symlinkMember, type TarMember } from '../../../src/layer/tar-member.ts';
import { requires } from '../../support/requires.ts';
import { compiled, findingsIn, probeLayer, probeStore } from './probe-layer.ts';

const file = (path: string, mode = 0o644) => fileMember(path, 'x', { mode });
const directory = (path: string, mode = 0o755) => directoryMember(path, { mode });
const text = (path: string, content: string) => fileMember(path, content);

/** A file that comes in pieces, as large ones do. */
function large(path: string, content: Buffer): TarMember {
  const { whole: _, ...member } = fileMember(path, content);
  return { ...member, content: once(content) };
}

type Case = readonly [title: string, members: readonly TarMember[], findings: readonly string[]];

// biome-ignore format: a table
const PLACES: readonly Case[] = [
  ['files below /usr, /etc, /var, /opt and /srv', ['usr/bin/a', 'etc/a', 'var/lib/a', 'opt/a/b', 'srv/www/a', 'boot/vmlinuz', 'sbin/b'].map((path) => file(path)), []],
  ['a file below /usr/local', [file('usr/local/bin/a')], ['path-policy usr/local/bin/a: /usr/local is of the administrator']],
  ['a file in somebody\'s home', [file('home/me/.profile')], ['path-policy home/me/.profile: /home is of the users']],
  ['a file where builds are', [file('build/src/a')], ['path-policy build/src/a: /build is the workspace of the build']],
  ['a file where outputs are', [file('out/a')], ['path-policy out/a: /out is where the build puts its output']],
  ['an empty directory that is empty at every start', [file('etc/a'), directory('run/a')], ['path-policy run/a: /run is empty at every start']],
  ['a directory below /var/run', [file('etc/a'), directory('var/run/a')], ['path-policy run/a: /run is empty at every start']],
  ['files of /tmp, /proc and /root', [file('tmp/a'), file('proc/a'), file('root/a')], ['path-policy proc/a: /proc is made by the container engine', 'path-policy root/a: /root is the home of root', 'path-policy tmp/a: /tmp is for temporary files']],
  ['a name in / that nobody knows', [file('ect/a'), file('a')], ['unusual-path a: a name of its own in /', 'unusual-path ect/a: /ect is no usual directory']],
];

// biome-ignore format: a table
const MODES: readonly Case[] = [
  ['usual modes, and a sticky directory for everybody', [file('usr/bin/a', 0o755), directory('var/spool/a', 0o1777)], []],
  ['a set-user-ID file', [file('usr/bin/su', 0o4755)], ['set-id usr/bin/su: mode 4755']],
  ['a set-group-ID file', [file('usr/bin/wall', 0o2755)], ['set-id usr/bin/wall: mode 2755']],
  ['a file that everybody may write to', [file('etc/a', 0o666)], ['world-writable etc/a: mode 0666']],
  ['such a directory without the sticky bit', [directory('var/spool/a', 0o777), file('etc/a')], ['world-writable var/spool/a: mode 0777']],
  ['a symbolic link, which has all bits', [symlinkMember('usr/bin/a', '.')], []],
];

// biome-ignore format: a table
const NAMES: readonly Case[] = [
  ['names that differ', [file('usr/share/a'), file('usr/share/b'), file('usr/lib/A')], []],
  ['names that differ by case', [file('usr/share/README'), file('usr/share/ReadMe')], ['name-collision usr/share/ReadMe: the same as /usr/share/README where case does not count']],
  ['directories that differ by case', [file('usr/share/Doc/a'), file('usr/share/doc/a')], ['name-collision usr/share/doc: the same as /usr/share/Doc where case does not count']],
  ['names that differ by normalisation', [file('usr/share/caf\u00e9'), file('usr/share/cafe\u0301')], ['name-collision usr/share/caf\u00e9: the same as /usr/share/cafe\u0301 where case does not count']],
];

// biome-ignore format: a table
const BUILD_PATHS: readonly Case[] = [
  ['a source path in a text, with its place', [text('usr/share/a', 'one\ntwo /build/src/x.c\n')], ['build-path usr/share/a: /build/src/x.c in line 2, column 5']],
  ['the output in a script', [text('usr/bin/a', '#!/bin/sh\nexec "/out/usr/lib/a"\n')], ['build-path usr/bin/a: /out/usr/lib/a in line 2, column 7']],
  ['the output alone', [text('usr/lib/a.pc', 'prefix=/out\n')], ['build-path usr/lib/a.pc: /out in line 1, column 8']],
  ['the workspace alone', [text('usr/lib/a.pc', 'dir=/build\n')], ['build-path usr/lib/a.pc: /build in line 1, column 5']],
  ['a path between bytes', [fileMember('usr/lib/a', Buffer.from('\0\x01\x02/build/src/a.c\0'))], ['build-path usr/lib/a: /build/src/a.c at byte 3']],
  ['the home of the build', [text('etc/a', 'HOME=/build/home')], ['build-path etc/a: /build/home in line 1, column 6']],
  ['a link into the output', [symlinkMember('usr/lib/a.so', '/out/usr/lib/a.so.1')], ['build-path usr/lib/a.so: a link to /out/usr/lib/a.so.1']],
  ['other paths with such names in them', [text('usr/share/a', 'third_party/build/src/a ./out/usr https://e.org/build/src /usr/build /builder /outer </out> "/build/a.js" /build/src-2 /output path + "/build"\n')], []],
  ['the flag that keeps the path out', [text('usr/bin/a', 'CFLAGS=-ffile-prefix-map=/build/src=/usr/src\n')], []],
];

describe.each([
  ['places', PLACES],
  ['modes', MODES],
  ['names', NAMES],
  ['paths of the build', BUILD_PATHS],
])('lintOutput judges %s:', (_, cases) => {
  test.each(cases)('%s', async (_title, members, findings) => {
    expect(await findingsIn(members)).toEqual(findings);
  });
});

describe('lintOutput', () => {
  test('lets the base package own all directories', async () => {
    const members = [directory('run'), directory('home'), directory('usr/local/bin'), symlinkMember('bin', 'usr/bin')];
    expect(await findingsIn(members, { ownsTopLinks: true })).toEqual([]);
    expect((await findingsIn(members.slice(0, 3))).length).toBe(3);
  });

  test('finds a path wherever the pieces of a large file end', async () => {
    const needle = Buffer.from('/build/src/main.c');
    for (const start of [0, 2 ** 20 - 20, 2 ** 20 - 9, 2 ** 20 - 1, 2 ** 20, 3 * 2 ** 20 - needle.length]) {
      const content = Buffer.alloc(3 * 2 ** 20);
      needle.copy(content, start);
      expect(await findingsIn([large('usr/lib/a', content)])).toEqual([
        `build-path usr/lib/a: /build/src/main.c at byte ${start}`,
      ]);
    }
  });

  test('does not take the end of a longer path for one at the edge of a piece', async () => {
    const content = Buffer.alloc(2 * 2 ** 20);
    content.write('third_party/build/src/main.c', 2 ** 20 - 11);
    expect(await findingsIn([large('usr/lib/a', content)])).toEqual([]);
  });

  test('names a file of several names once', async () => {
    const link: TarMember = { ...file('usr/bin/b', 0o4755), type: 'hardlink', target: 'usr/bin/a', size: 0 };
    expect(await findingsIn([file('usr/bin/a', 0o4755), link])).toEqual(['set-id usr/bin/a: mode 4755']);
  });
});

describe('a licence', () => {
  const judge = async (license: string | undefined, ...layers: TarMember[][]) => {
    const store = await probeStore();
    const kept = [];
    for (const members of layers) kept.push(await probeLayer(store, members));
    const rules = { name: 'a/b', platform: 'linux/amd64', ownsTopLinks: false, license, allowed: [] };
    return (await judgeOutputs(store, kept, rules)).notices;
  };

  test('that the recipe does not name is missed', async () => {
    expect(await judge(undefined, [file('usr/share/licenses/b/LICENSE')])).toEqual([
      'a/b: expected a licence, found no "license" in pkg.yaml (missing-license)',
    ]);
  });

  test('without its text is missed', async () => {
    expect(await judge('MIT', [file('usr/bin/b')])).toEqual([
      'a/b: expected a licence, found no file with its text in the package (missing-license)',
    ]);
  });

  test.each([['usr/share/doc/b/copyright'], ['usr/share/licenses/b/LICENSE'], ['usr/share/doc/b/COPYING']])(
    'is found in %s, of any part of the package',
    async (path) => {
      expect(await judge('MIT', [file(path)])).toEqual([]);
      expect(await judge('MIT', [file('usr/bin/b')], [file(path)])).toEqual([]);
    },
  );
});

requires('gcc', 'strip').describe('lintOutput reads ELF files:', () => {
  const program = (content: Buffer, path = 'usr/bin/a') => [fileMember(path, content, { mode: 0o755 })];

  test('a stripped program is sound', async () => {
    expect(await findingsIn(program(compiled([])))).toEqual([]);
  });

  test('a symbol table, and debug information', async () => {
    const finding = 'unstripped usr/bin/a: its symbol table or debug information';
    expect(await findingsIn(program(compiled([], { strip: false })))).toEqual([finding]);
    const library = compiled(['-g', '-shared', '-fPIC', '-ffile-prefix-map=/=/usr/src/'], { strip: false });
    expect(await findingsIn(program(library))).toEqual([finding]);
  });

  test('debug files may hold what was stripped from others', async () => {
    expect(await findingsIn(program(compiled([], { strip: false }), 'usr/lib/debug/usr/bin/a.debug'))).toEqual([]);
  });

  test('an executable stack', async () => {
    const finding = 'executable-stack usr/bin/a: an executable stack';
    expect(await findingsIn(program(compiled(['-Wl,-z,execstack'])))).toEqual([finding]);
  });

  test('relocations in code', async () => {
    const source = '.text\n.globl f\nf: .quad g\n.section .note.GNU-stack,"",%progbits\n';
    const library = compiled(['-shared', '-nostdlib', '-Wl,-z,notext'], { source, language: 'assembler' });
    expect(await findingsIn(program(library))).toEqual(['text-relocation usr/bin/a: relocations in its code']);
  });

  test('another machine', async () => {
    const foreign = compiled([]);
    foreign.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
    const machine = process.arch === 'arm64' ? 'x86_64' : 'aarch64';
    expect(await findingsIn(program(foreign))).toEqual([`wrong-machine usr/bin/a: a file for ${machine}`]);
    const bigEndian = compiled([]);
    bigEndian[5] = 2;
    bigEndian.writeUInt16BE(2, 16);
    bigEndian.writeUInt16BE(22, 18);
    expect(await findingsIn(program(bigEndian))).toEqual(['wrong-machine usr/bin/a: a file for s390x (big-endian)']);
  });

  test('a program that tells where it was compiled', async () => {
    const source = '#include <stdio.h>\nint main(void) { puts("/build/src/main.c"); return 0; }\n';
    expect(await findingsIn(program(compiled([], { source })))).toEqual([
      expect.stringMatching(/^build-path usr\/bin\/a: \/build\/src\/main\.c at byte \d+$/),
    ]);
  });

  test.each([
    ['/usr/lib'],
    ['/usr/lib/x86_64-linux-gnu'],
    ['/lib64'],
    ['/opt/a/lib'],
    ['$ORIGIN/../lib'],
    ['$ORIGIN/../../opt/a/lib'],
    [`\${ORIGIN}/../$LIB`],
  ])('the run path %s', async (runPath) => {
    const options = { directories: ['opt/a/lib'], platform: 'linux/amd64' };
    const found = await findingsIn(program(compiled([`-Wl,-rpath,${runPath}`])), options);
    expect(found.filter((finding) => finding.startsWith('run-path'))).toEqual([]);
  });

  test.each([
    ['/opt/elsewhere'],
    ['/home/me/lib'],
    ['lib'],
    [''],
    ['/'],
    ['$ORIGIN/../../../..'],
    ['$ORIGIN/plugins'],
    ['/usr/lib/$PLATFORM'],
  ])('the run path "%s" leads to a place that others may fill', async (runPath) => {
    const found = await findingsIn(program(compiled([`-Wl,-rpath,/usr/lib:${runPath}`])));
    expect(found).toEqual([`run-path usr/bin/a: "${runPath}"`]);
  });

  test('one in the build is told as such too', async () => {
    const found = await findingsIn(program(compiled(['-Wl,-rpath,/build/src/.libs'])));
    expect(found).toEqual(['run-path usr/bin/a: "/build/src/.libs"', expect.stringContaining('build-path usr/bin/a')]);
  });
});
