/** Phrases of licence texts, with spaces and case made alike; the first whose phrases are all there is it. */
const KNOWN: readonly (readonly [spdx: string, ...phrases: string[]])[] = [
  ['AGPL-3.0-or-later', 'gnu affero general public license version 3'],
  ['LGPL-3.0-or-later', 'gnu lesser general public license version 3'],
  ['LGPL-2.1-or-later', 'gnu lesser general public license version 2.1'],
  ['LGPL-2.0-or-later', 'gnu library general public license version 2'],
  ['GPL-3.0-or-later', 'gnu general public license version 3'],
  ['GPL-2.0-or-later', 'gnu general public license version 2'],
  ['Apache-2.0', 'apache license', 'version 2.0'],
  ['MPL-2.0', 'mozilla public license version 2.0'],
  ['BSL-1.0', 'boost software license - version 1.0'],
  ['CC0-1.0', 'cc0 1.0 universal'],
  ['Unlicense', 'this is free and unencumbered software released into the public domain'],
  ['Zlib', "this software is provided 'as-is', without any express or implied warranty", 'altered source versions'],
  [
    'curl',
    'permission to use, copy, modify, and distribute this software for any purpose with or without fee',
    'except as contained in this notice',
  ],
  [
    'ISC',
    'permission to use, copy, modify, and/or distribute this software for any purpose',
    'copyright notice and this permission notice appear',
  ],
  [
    'ISC',
    'permission to use, copy, modify, and distribute this software for any purpose',
    'copyright notice and this permission notice appear',
  ],
  ['0BSD', 'permission to use, copy, modify, and/or distribute this software for any purpose'],
  ['BSD-3-Clause', 'redistribution and use in source and binary forms', 'neither the name'],
  ['BSD-3-Clause', 'redistribution and use in source and binary forms', 'may not be used to endorse'],
  ['BSD-2-Clause', 'redistribution and use in source and binary forms'],
  [
    'MIT',
    'permission is hereby granted, free of charge, to any person obtaining a copy',
    'the above copyright notice and this permission notice',
  ],
  ['MIT-0', 'permission is hereby granted, free of charge, to any person obtaining a copy'],
];

/** The SPDX name of a licence text, or undefined where it is none of the well-known ones. */
export function guessLicense(text: string): string | undefined {
  const plain = text
    .slice(0, 64 * 1024)
    .toLowerCase()
    .replace(/[“”]/g, '"')
    .replace(/[‘’`]/g, "'")
    .replace(/[*#/;]/g, ' ')
    .replace(/,(?= version)/g, '')
    .replace(/\s+/g, ' ');
  return KNOWN.find(([, ...phrases]) => phrases.every((phrase) => plain.includes(phrase)))?.[0];
}

/** Whether a file at the top of a source tree is the one that says the licence. */
export function isLicenseFile(name: string): boolean {
  return /^(?:licen[cs]e|copying|unlicense)(?:[-.](?:md|txt|rst|mit|apache|gpl|bsd).*)?$/i.test(name);
}
