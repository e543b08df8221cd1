import { joinLicenses, type License } from './license-expression.ts';

/** Short names of Debian's machine-readable copyright files (copyright-format 1.0) that SPDX names otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  '0bsd': '0BSD',
  'agpl-3': 'AGPL-3.0-only',
  'agpl-3+': 'AGPL-3.0-or-later',
  'apache-1.0': 'Apache-1.0',
  'apache-1.1': 'Apache-1.1',
  'apache-2': 'Apache-2.0',
  'apache-2.0': 'Apache-2.0',
  'artistic-2.0': 'Artistic-2.0',
  'boost-1.0': 'BSL-1.0',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  'bsl-1.0': 'BSL-1.0',
  'cc-by-3.0': 'CC-BY-3.0',
  'cc-by-4.0': 'CC-BY-4.0',
  'cc-by-sa-3.0': 'CC-BY-SA-3.0',
  'cc-by-sa-4.0': 'CC-BY-SA-4.0',
  cc0: 'CC0-1.0',
  'cc0-1.0': 'CC0-1.0',
  'cddl-1.0': 'CDDL-1.0',
  curl: 'curl',
  'epl-1.0': 'EPL-1.0',
  'epl-2.0': 'EPL-2.0',
  expat: 'MIT',
  fsfap: 'FSFAP',
  fsful: 'FSFUL',
  fsfullr: 'FSFULLR',
  'gfdl-1.2': 'GFDL-1.2-only',
  'gfdl-1.2+': 'GFDL-1.2-or-later',
  'gfdl-1.3': 'GFDL-1.3-only',
  'gfdl-1.3+': 'GFDL-1.3-or-later',
  'gfdl-niv-1.2+': 'GFDL-1.2-no-invariants-or-later',
  'gfdl-niv-1.3': 'GFDL-1.3-no-invariants-only',
  'gfdl-niv-1.3+': 'GFDL-1.3-no-invariants-or-later',
  'gpl-1': 'GPL-1.0-only',
  'gpl-1+': 'GPL-1.0-or-later',
  'gpl-2': 'GPL-2.0-only',
  'gpl-2.0': 'GPL-2.0-only',
  'gpl-2+': 'GPL-2.0-or-later',
  'gpl-2.0+': 'GPL-2.0-or-later',
  'gpl-3': 'GPL-3.0-only',
  'gpl-3.0': 'GPL-3.0-only',
  'gpl-3+': 'GPL-3.0-or-later',
  'gpl-3.0+': 'GPL-3.0-or-later',
  isc: 'ISC',
  'lgpl-2': 'LGPL-2.0-only',
  'lgpl-2.0': 'LGPL-2.0-only',
  'lgpl-2+': 'LGPL-2.0-or-later',
  'lgpl-2.0+': 'LGPL-2.0-or-later',
  'lgpl-2.1': 'LGPL-2.1-only',
  'lgpl-2.1+': 'LGPL-2.1-or-later',
  'lgpl-3': 'LGPL-3.0-only',
  'lgpl-3+': 'LGPL-3.0-or-later',
  mit: 'MIT',
  'mit-0': 'MIT-0',
  'mpl-1.1': 'MPL-1.1',
  'mpl-2.0': 'MPL-2.0',
  openssl: 'OpenSSL',
  'python-2.0': 'Python-2.0',
  ruby: 'Ruby',
  unlicense: 'Unlicense',
  wtfpl: 'WTFPL',
  x11: 'X11',
  zlib: 'Zlib',
};

/** Exceptions by the name before "exception", for the version of the GPL that they belong to where there are several. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'autoconf 2': 'Autoconf-exception-2.0',
  'autoconf 3': 'Autoconf-exception-3.0',
  'bison 3': 'Bison-exception-2.2',
  'bison 2': 'Bison-exception-2.2',
  'classpath 2': 'Classpath-exception-2.0',
  'font 2': 'Font-exception-2.0',
  'font 3': 'Font-exception-2.0',
  'gcc 3': 'GCC-exception-3.1',
  'libtool 2': 'Libtool-exception',
  'libtool 3': 'Libtool-exception',
};

const MOST_BYTES = 2 * 2 ** 20;
const MOST_NAME = 500;

/**
 * The licenses of all files that a copyright file of Debian's names (copyright-format 1.0), as SPDX has them. Undefined
 * for a file in free form, and where one license has no name in SPDX: then nobody knows without reading it.
 */
export function copyrightLicense(bytes: Buffer): License | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const lines = bytes.toString('utf8').split('\n');
  const [format = ''] = lines.filter((line) => line.trim() !== '');
  if (!/^Format:\s/i.test(format) || !format.includes('copyright-format')) return undefined;
  const licenses = fileLicenses(lines);
  if (licenses.length === 0) return undefined;
  const known = [...new Set(licenses)].map(licenseOf);
  return known.every((license) => license !== undefined) ? joinLicenses('AND', known) : undefined;
}

/** Of each `Files` paragraph the first line of its `License`, empty where it lacks one. */
function fileLicenses(lines: readonly string[]): readonly string[] {
  const licenses: string[] = [];
  let hasFiles = false;
  let license: string | undefined;
  for (const line of [...lines, '']) {
    if (line.trim() === '') {
      if (hasFiles) licenses.push(license ?? '');
      hasFiles = false;
      license = undefined;
    } else if (/^Files:/i.test(line)) hasFiles = true;
    else if (/^License:/i.test(line)) license = line.slice('License:'.length).trim();
  }
  return licenses;
}

/** A comma binds less than `and` and `or`: `GPL-2+ or Artistic-2.0, and BSD-3-clause`. */
function licenseOf(text: string): License | undefined {
  if (text === '' || text.length > MOST_NAME) return undefined;
  const [head = '', ...rest] = text.toLowerCase().split(',');
  let license = joinedLicense(head.trim());
  for (const part of rest) {
    const [, kind, names] = /^(and|or) (.+)$/.exec(part.trim()) ?? [];
    const next = names === undefined ? undefined : joinedLicense(names);
    if (license === undefined || next === undefined) return undefined;
    license = joinLicenses(kind === 'and' ? 'AND' : 'OR', [license, next]);
  }
  return license;
}

/** `and` binds more than `or`. */
function joinedLicense(text: string): License | undefined {
  const split = (part: string, word: string) => ` ${part} `.split(` ${word} `).map((name) => name.trim());
  const alternatives = split(text, 'or').map((names) => joinAll('AND', split(names, 'and').map(namedLicense)));
  return joinAll('OR', alternatives);
}

function joinAll(kind: 'AND' | 'OR', licenses: readonly (License | undefined)[]): License | undefined {
  const known = licenses.filter((license) => license !== undefined);
  return known.length === licenses.length && known.length > 0 ? joinLicenses(kind, known) : undefined;
}

function namedLicense(text: string): License | undefined {
  const [name = '', exception] = text.split(/\swith\s/).map((part) => part.trim());
  if (!Object.hasOwn(NAMES, name)) return undefined;
  const spdx = NAMES[name]!;
  if (exception === undefined) return { kind: 'license', text: spdx };
  const version = /^gpl-([23])/.exec(name)?.[1];
  const key = `${exception.replace(/[\s-]exception$/, '')} ${version ?? ''}`;
  if (!Object.hasOwn(EXCEPTIONS, key)) return undefined;
  return { kind: 'license', text: `${spdx} WITH ${EXCEPTIONS[key]!}` };
}
