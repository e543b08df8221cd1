// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is shell that is read
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readShell, SHELL_LIMITS } from '../../../src/draft/shell/read-shell.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const readValue = (source: string, name = 'x') => readShell(source).values.get(name);

describe('a value of shell', () => {
  test.each<[string, string | readonly string[] | undefined]>([
    ['x=\'a $b "c"\'', 'a $b "c"'],
    ['b=1.2.3\nx="v$b-${b}"', 'v1.2.3-1.2.3'],
    ['b=1.2.3; x=${b%.*}', '1.2'],
    ['b=1.2.3; x=${b%%.*}', '1'],
    ['b=1.2.3; x=${b#*.}', '2.3'],
    ['b=1.2.3; x=${b##*.}', '3'],
    ['b=1.2.3; x=${b//./_}', '1_2_3'],
    ['b=1.2.3; x=${b/./}', '12.3'],
    ['x=${none:-other}', 'other'],
    ['b=a; x=${b:+set}', 'set'],
    ['b=low; x=${b^^}', 'LOW'],
    ['b=1.2; x=${b%[z-a]*}', '1.2'],
    ['b=1.2; x=${b//[z-a]/x}', '1.2'],
    ['x=a\nx+=b', 'ab'],
    ['x="a\n\tb" # comment', 'a\n\tb'],
    ['x="a \\"b\\" \\$c"', 'a "b" $c'],
    ['x=(a "b c" # comment\n  d)\nx+=(e)', ['a', 'b c', 'd', 'e']],
    ['x=a\\\nb', 'ab'],
    ['x=1\nif true; then x=2; fi', undefined],
    ['x=1\n[ "$C" = y ] && x=2', undefined],
  ])('%j is %j', (source, expected) => {
    expect(readValue(source)).toEqual(expected);
  });

  test('that needs a command is left as it is written', () => {
    expect(readValue('x=$(date +%s)')).toBe('$(date +%s)');
    expect(readValue('x=`id`')).toBe('`id`');
  });
});

describe('a file of shell', () => {
  test('is never run', () => {
    const trap = join(temporaryDirectory(), 'trap');
    const evil = `x=$(touch ${trap})\ny=\`touch ${trap}\`\ntouch ${trap}\neval "touch ${trap}"\nf() { touch ${trap}; }\n: \${z:=$(touch ${trap})}\n`;
    readShell(evil);
    expect(existsSync(trap)).toBe(false);
  });

  test('gives bodies of functions, whatever is in them', () => {
    const { functions, unread } = readShell(
      'build() {\n\tif x; then\n\t\techo "}" \'}\' # }\n\tfi\n\tcat <<-EOF\n\t\t}\n\tEOF\n}\nfunction other() { y; }\n',
    );
    expect([...functions.keys()]).toEqual(['build', 'other']);
    expect(functions.get('build')).toBe('if x; then\n\techo "}" \'}\' # }\nfi\ncat <<-EOF\n\t}\nEOF');
    expect(unread).toEqual([]);
  });

  test('tells the line of what it does not understand, and reads on', () => {
    const { unread, values, commands } = readShell('a=1\n\ncase $a in\n1) b=2 ;;\nesac\ninherit cmake meson\nc=3\n');
    expect(unread).toEqual([{ line: 3, text: 'case $a in' }]);
    expect(values.get('c')).toBe('3');
    expect(commands).toEqual([['inherit', 'cmake', 'meson']]);
  });

  test.each<[string, string]>([
    ['too long', `x=${'a'.repeat(SHELL_LIMITS.bytes)}`],
    ['of too many statements', 'a=1\n'.repeat(SHELL_LIMITS.statements + 1)],
    ['with a function that never ends', 'build() {\n  x\n'],
  ])('is refused where it is %s', (_, source) => {
    expect(() => readShell(source)).toThrow('Cannot read the recipe: expected');
  });

  test.each([
    ['open brackets', '('.repeat(50_000)],
    ['open expansions', '${'.repeat(50_000)],
    ['open quotes', 'x="${y:-"'.repeat(10_000)],
    ['a long word with stars', `b=${'a'.repeat(10_000)}\nx=\${b%a*a*a*c}`],
    ['a value that doubles', `x=12345678\n${'x=$x$x\n'.repeat(60)}`],
    ['a value put in very often', `x=${'a'.repeat(100_000)}\ny=${'$x'.repeat(50_000)}`],
    ['a list of long values', `x=${'a'.repeat(100_000)}\ny=(${'$x '.repeat(40_000)})`],
    ['nested lists', 'x=(('.repeat(20_000)],
  ])('takes no long time for %s', (_, source) => {
    const start = performance.now();
    try {
      readShell(source);
    } catch (error) {
      expect((error as Error).message).toMatch(/^Cannot read the recipe/);
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
