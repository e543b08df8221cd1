/** Names of other systems that are not SPDX's. */
const NAMES = new Map(
  Object.entries({
    'apache-2.0': 'Apache-2.0',
    'boost-1.0': 'BSL-1.0',
    bsd: 'BSD-3-Clause',
    'bsd-2': 'BSD-2-Clause',
    'bsd-4': 'BSD-4-Clause',
    'cc0-1.0': 'CC0-1.0',
    gpl2: 'GPL-2.0-only',
    'gpl2+': 'GPL-2.0-or-later',
    gpl3: 'GPL-3.0-only',
    'gpl3+': 'GPL-3.0-or-later',
    'gpl-2': 'GPL-2.0-only',
    'gpl-2+': 'GPL-2.0-or-later',
    'gpl-3': 'GPL-3.0-only',
    'gpl-3+': 'GPL-3.0-or-later',
    'lgpl-2': 'LGPL-2.0-only',
    'lgpl-2+': 'LGPL-2.0-or-later',
    'lgpl-2.1': 'LGPL-2.1-only',
    'lgpl-2.1+': 'LGPL-2.1-or-later',
    'lgpl-3': 'LGPL-3.0-only',
    'lgpl-3+': 'LGPL-3.0-or-later',
    'agpl-3': 'AGPL-3.0-only',
    'agpl-3+': 'AGPL-3.0-or-later',
    'mit-0': 'MIT-0',
    'mpl-2.0': 'MPL-2.0',
    openssl: 'OpenSSL',
    'public-domain': 'LicenseRef-public-domain',
    'public domain': 'LicenseRef-public-domain',
    unlicense: 'Unlicense',
    zlib: 'Zlib',
  }),
);

/**
 * The SPDX expression of what another system calls a licence: Alpine writes SPDX itself, Gentoo names of its own, with
 * `|| ( A B )` for a choice and a blank for both. Undefined where it is neither.
 */
export function spdxLicense(text: string): string | undefined {
  const plain = text.trim();
  if (plain === '') return undefined;
  const [, choice] = /^\|\|\s*\(([^()]*)\)$/.exec(plain) ?? [];
  if (choice !== undefined) return joined(choice.trim().split(/\s+/), ' OR ');
  if (/\b(?:AND|OR|WITH)\b/.test(plain)) return /^[A-Za-z0-9(][A-Za-z0-9.+() :-]*$/.test(plain) ? plain : undefined;
  const known = NAMES.get(plain.toLowerCase());
  if (known !== undefined) return known;
  return joined(plain.split(/\s+/), ' AND ');
}

function joined(words: readonly string[], by: string): string | undefined {
  const names = words.map((word) => NAMES.get(word.toLowerCase()) ?? word);
  return names.every((name) => /^[A-Za-z0-9][A-Za-z0-9.+:-]*$/.test(name)) ? [...new Set(names)].join(by) : undefined;
}
