import { describe, expect, test } from 'vitest';
import { packageTable, parsePackageTable } from '../../src/debian/package-table.ts';
import { parsePackages } from '../../src/debian/parse-packages.ts';
import { sha256 } from '../../src/model/digest.ts';
import { stanza } from './own-archive.ts';

const parse = (text: string) => parsePackages(text, 'Packages', 'amd64');

describe('parsePackages', () => {
  test('reads what counts of each stanza', () => {
    const fields = {
      Version: '2:1.0~rc1-1+b2',
      Source: 'tools (2:1.0~rc1-1)',
      'Multi-Arch': 'same',
      Essential: 'yes',
      Priority: 'required',
      'Pre-Depends': 'libc6 (>= 2.36)',
      Depends: 'aa | bb:any (<< 2), cc',
      Provides: 'tool-abi (= 1)',
      Conflicts: 'old-tool',
      Breaks: 'other (<= 3)',
      Description: 'tools for Ünicode: a test\n more lines\n .\n Package: not-a-field',
    };
    const [tool, next, ...others] = parse(`${stanza('tool', fields)}\n${stanza('next')}`);
    expect(tool).toEqual({
      name: 'tool',
      version: '2:1.0~rc1-1+b2',
      architecture: 'amd64',
      multiArch: 'same',
      essential: true,
      important: false,
      priority: 1,
      preDepends: 'libc6 (>= 2.36)',
      depends: 'aa | bb:any (<< 2), cc',
      provides: 'tool-abi (= 1)',
      excludes: 'old-tool, other (<= 3)',
      path: 'pool/main/t/tool/tool_2:1.0~rc1-1+b2_amd64.deb',
      size: 1000,
      sha256: sha256('tool2:1.0~rc1-1+b2'),
      source: { name: 'tools', version: '2:1.0~rc1-1' },
    });
    expect(next).toMatchObject({ name: 'next', multiArch: 'no', source: { name: 'next', version: '1.0-1' } });
    expect(others).toEqual([]);
  });

  test('joins fields that go over several lines', () => {
    expect(parse(stanza('tool', { Depends: 'aa,\n bb (>= 1),\n cc' }))[0]!.depends).toBe('aa, bb (>= 1), cc');
  });

  test('an empty index has no packages', () => {
    expect(parse('')).toEqual([]);
    expect(parse('\n\n')).toEqual([]);
  });

  test.each([
    ['a name upwards', stanza('tool').replace('Package: tool', 'Package: ../tool')],
    ['a name like an option', stanza('tool').replace('Package: tool', 'Package: -rf')],
    ['a version with a slash', stanza('tool', { Version: '1/2', Filename: 'pool/a' })],
    ['a version with a semicolon', stanza('tool', { Version: '1;reboot', Filename: 'pool/a' })],
    ['another architecture', stanza('tool', { Architecture: 'arm64' })],
    ['a path upwards', stanza('tool', { Filename: 'pool/../../etc/passwd' })],
    ['an absolute path', stanza('tool', { Filename: '/pool/tool.deb' })],
    ['a path outside the pool', stanza('tool', { Filename: 'dists/tool.deb' })],
    ['a path to another server', stanza('tool', { Filename: 'pool/@evil.example/tool.deb' })],
    ['a path with a query', stanza('tool', { Filename: 'pool/tool.deb?x' })],
    ['a size of none', stanza('tool', { Size: '0' })],
    ['a size in words', stanza('tool', { Size: '1e9' })],
    ['a short digest', stanza('tool', { SHA256: 'abc' })],
    ['no digest', stanza('tool').replace(/SHA256.*\n/, '')],
    ['relations that are none', stanza('tool', { Depends: 'aa || bb' })],
    ['a relation to a path', stanza('tool', { Depends: '../aa' })],
    ['an open bracket', stanza('tool', { Depends: 'aa (>= 1' })],
    ['an unknown operator', stanza('tool', { Depends: 'aa (=> 1)' })],
    ['a field twice', `${stanza('tool')}SHA256: ${sha256('other')}\n`],
    ['a line that is no field', `${stanza('tool')}nonsense\n`],
    ['a field name with a blank', `${stanza('tool')}Evil Field: x\n`],
    ['a source upwards', stanza('tool', { Source: '../x' })],
    ['an unknown kind of Multi-Arch', stanza('tool', { 'Multi-Arch': 'maybe' })],
  ])('refuses %s and names the stanza', (_, text) => {
    const broken = () => parse(`${stanza('good')}\n${text}`);
    expect(broken).toThrow(expect.objectContaining({ code: 'input-invalid' }));
    expect(broken).not.toThrow(/"good"/);
  });

  test('keeps control characters out of messages', () => {
    expect(() => parse(stanza('tool', { Version: '1\u001b[31m' }))).toThrow(/1\\u001b\[31m/);
  });
});

describe('packageTable', () => {
  test('gives back what it was made of', () => {
    const packages = parse(
      `${stanza('tool', { Source: 'tools (3)', Depends: 'aa,\n\tbb', Essential: 'yes', Important: 'yes' })}\n${stanza('next')}`,
    );
    const again = parsePackageTable(packageTable(packages));
    expect(again.map((entry) => ({ ...entry, depends: entry.depends.replace(/\s+/g, ' ') }))).toEqual(
      packages.map((entry) => ({ ...entry, depends: entry.depends.replace(/\s+/g, ' ') })),
    );
    expect(parsePackageTable(packageTable([]))).toEqual([]);
  });
});
