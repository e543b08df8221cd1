import { describe, expect, test } from 'vitest';
import { copyrightLicense } from '../../src/image/copyright-license.ts';
import { imageLicense } from '../../src/image/image-license.ts';
import { combinedLicense, licenseText, parseLicense } from '../../src/image/license-expression.ts';
import { fileMember, symlinkMember } from '../../src/layer/tar-member.ts';
import { baselayout, nginx, type TestPackage, testContainer } from './test-content.ts';

const HEADER = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n';

function copyright(...licenses: readonly string[]): string {
  return HEADER + licenses.map((license) => `\nFiles: *\nCopyright: x\nLicense: ${license}\n text\n`).join('');
}

function debian(name: string, text: string): TestPackage {
  return { name: `debian/${name}`, members: [fileMember(`usr/share/doc/${name}/copyright`, text)] };
}

async function licenseOf(...packages: readonly TestPackage[]): Promise<string | undefined> {
  return imageLicense((await testContainer([baselayout, ...packages])).content);
}

describe('an expression', () => {
  const text = (expression: string) => {
    const license = parseLicense(expression);
    return license && licenseText(license);
  };

  test.each([
    ['MIT', 'MIT'],
    ['MIT AND MIT', 'MIT'],
    ['MIT and (BSD-2-Clause or ISC)', '(BSD-2-Clause OR ISC) AND MIT'],
    ['MIT OR BSD-2-Clause AND ISC', '(BSD-2-Clause AND ISC) OR MIT'],
    ['(((MIT)))', 'MIT'],
    ['GPL-2.0-only WITH Classpath-exception-2.0 AND 0BSD', '0BSD AND GPL-2.0-only WITH Classpath-exception-2.0'],
    ['GPL-2.0+', 'GPL-2.0+'],
    ['LicenseRef-own', 'LicenseRef-own'],
  ])('%s is %s', (expression, expected) => {
    expect(text(expression)).toBe(expected);
    expect(text(expected)).toBe(expected);
  });

  test.each([
    '',
    'MIT,ISC',
    'MIT ISC',
    'MIT AND',
    '(MIT',
    'MIT)',
    'AND',
    'WITH',
    'MIT And ISC',
    'NONE',
    'see COPYING',
    'GPL v2',
  ])('%j is none', (expression) => expect(text(expression)).toBeUndefined());

  test('that is deep or long ends at once', () => {
    for (const bad of ['('.repeat(1e6), 'MIT AND '.repeat(1e5), 'x'.repeat(1e6)]) expect(text(bad)).toBeUndefined();
  });

  test('over many licenses is absent where it is too long for a label', () => {
    const many = Array.from({ length: 500 }, (_, index) => parseLicense(`LicenseRef-number-${index}`));
    expect(combinedLicense(many)).toBeUndefined();
    expect(combinedLicense([parseLicense('MIT'), undefined])).toBeUndefined();
  });
});

describe('a copyright file of Debian', () => {
  const license = (...names: readonly string[]) => {
    const found = copyrightLicense(Buffer.from(copyright(...names)));
    return found && licenseText(found);
  };

  test.each([
    [['GPL-2+'], 'GPL-2.0-or-later'],
    [['Expat', 'GPL-3'], 'GPL-3.0-only AND MIT'],
    [['GPL-2+ or BSD-3-clause'], 'BSD-3-Clause OR GPL-2.0-or-later'],
    [['GPL-2+ or Expat, and ISC', 'ISC'], '(GPL-2.0-or-later OR MIT) AND ISC'],
    [['GPL-3+ with Autoconf exception'], 'GPL-3.0-or-later WITH Autoconf-exception-3.0'],
    [['GPL-2 and LGPL-2.1+'], 'GPL-2.0-only AND LGPL-2.1-or-later'],
  ])('with %j means %s', (names, expected) => expect(license(...names)).toBe(expected));

  test.each([
    ['permissive'],
    ['GPL-2+ with Own exception'],
    ['GPL'],
    ['GPL-2+ and'],
    [''],
    ['constructor'],
    ['Expat, ISC'],
  ])('with %j is not known', (name) => expect(license('Expat', name)).toBeUndefined());

  test('in free form, or without files, is not known', () => {
    expect(copyrightLicense(Buffer.from('This is dash. License: GPL-2+\n'))).toBeUndefined();
    expect(copyrightLicense(Buffer.from(`${HEADER}License: GPL-2+\n`))).toBeUndefined();
    expect(copyrightLicense(Buffer.from(`${HEADER}\nFiles: *\nCopyright: x\n`))).toBeUndefined();
    expect(copyrightLicense(Buffer.alloc(3 * 2 ** 20, 'a'))).toBeUndefined();
  });
});

describe('the license of an image', () => {
  test('is that of all its packages', async () => {
    expect(await licenseOf(nginx, debian('dash', copyright('BSD-3-clause', 'Expat')))).toBe(
      'BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND MIT',
    );
  });

  test('is read through the links between packages of one source', async () => {
    const linked = { name: 'debian/libx1', members: [symlinkMember('usr/share/doc/libx1', 'x-common')] };
    expect(await licenseOf(linked, debian('x-common', copyright('ISC')))).toBe('GPL-2.0-or-later AND ISC');
  });

  test('is unknown where that of one package is', async () => {
    expect(await licenseOf(debian('libc6', 'This is the GNU C Library.\n'))).toBeUndefined();
    expect(await licenseOf({ name: 'debian/bare', members: [] })).toBeUndefined();
    expect(await licenseOf({ name: 'app-misc/x', members: [] })).toBeUndefined();
    expect(await licenseOf({ name: 'app-misc/x', license: 'see COPYING', members: [] })).toBeUndefined();
  });
});
