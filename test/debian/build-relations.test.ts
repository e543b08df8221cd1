import { describe, expect, test } from 'vitest';
import { parseBuildRelations } from '../../src/debian/build-relations.ts';
import { groupText } from '../../src/debian/relations.ts';

const read = (text: string, architecture = 'amd64') =>
  parseBuildRelations(text, architecture).map(groupText).join(', ');

describe('build relations', () => {
  test('keep versions, qualifiers and alternatives as they are written', () => {
    const text = 'debhelper-compat (= 13), python3:any | python3-minimal, libssl-dev (>= 3.0)';
    expect(read(`${text},`)).toBe(text);
    expect(read('debhelper\n , gcc')).toBe('debhelper, gcc');
    expect(read('')).toBe('');
  });

  test.each([
    ['libfoo [amd64]', 'libfoo'],
    ['libfoo [i386 arm64]', ''],
    ['libfoo [!i386]', 'libfoo'],
    ['libfoo [!amd64 !i386]', ''],
    ['libfoo [linux-any]', 'libfoo'],
    ['libfoo [any-amd64]', 'libfoo'],
    ['libfoo [!linux-any]', ''],
    ['libfoo [kfreebsd-any hurd-any]', ''],
    ['liba [arm64] | libb', 'libb'],
    ['libc (>= 2) [amd64] <!stage1>', 'libc (>= 2)'],
  ])('%s is, on amd64, "%s"', (text, applied) => {
    expect(read(text)).toBe(applied);
  });

  test.each([
    ['tcl <!nocheck>', 'tcl'],
    ['tcl <nocheck>', ''],
    ['tcl <!nocheck !stage1>', 'tcl'],
    ['tcl <!nocheck> <stage1>', 'tcl'],
    ['tcl <cross> <stage1>', ''],
  ])('%s is, without any profile, "%s"', (text, applied) => {
    expect(read(text)).toBe(applied);
  });

  test.each(['lib foo', 'libfoo [amd64', 'libfoo (>= )', '$(id)', 'libfoo <', '-rf'])('%j is refused', (text) => {
    expect(() => read(text)).toThrow(SyntaxError);
  });
});
