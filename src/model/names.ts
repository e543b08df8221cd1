/** Allow-lists for every name that becomes part of a path, an argument or a URL. Checked before that happens. */

const PACKAGE_PART = /^[a-z0-9][a-z0-9+._-]{0,63}$/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z+.~_:-]{0,127}$/;
const FLAG = /^[a-z0-9][a-z0-9+_-]{0,63}$/;
/** Debian policy 5.6.1. */
const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9+.-]{1,127}$/;
/** Debian policy 5.6.12. */
const DEBIAN_VERSION = /^(?:[0-9]+:)?[0-9A-Za-z][0-9A-Za-z.+~:-]*$/;
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;
const REPOSITORY = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const CLASS = /^[a-z][a-z0-9-]{0,62}$/;
const SUITE = /^[a-z][a-z0-9.-]{0,63}$/;

/** Tells whether a text is one half of a package name: a category or a name. */
export function isPackageNamePart(text: string): boolean {
  return PACKAGE_PART.test(text) && !text.includes('..');
}

export function isVersion(text: string): boolean {
  return VERSION.test(text) && !text.includes('..');
}

export function isFlagName(text: string): boolean {
  return FLAG.test(text);
}

export function isDebianPackageName(text: string): boolean {
  return DEBIAN_PACKAGE.test(text) && !text.includes('..');
}

export function isDebianVersion(text: string): boolean {
  return text.length <= 128 && DEBIAN_VERSION.test(text) && !text.includes('..');
}

export function isUserName(text: string): boolean {
  return USER.test(text);
}

export function isRepositoryName(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes('..');
}

/** Tells whether a text can be the name of a build class, and of the file it lies in. */
export function isClassName(text: string): boolean {
  return CLASS.test(text);
}

export function isSuiteName(text: string): boolean {
  return SUITE.test(text) && !text.includes('..');
}

/**
 * Tells whether a text is a clean relative path that stays below where it starts: no empty, `.` or `..` element, no
 * leading slash, no NUL, well-formed Unicode, each element at most 255 bytes.
 */
export function isCleanRelativePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\0') || !path.isWellFormed()) return false;
  return path
    .split('/')
    .every((element) => element !== '' && element !== '.' && element !== '..' && Buffer.byteLength(element) <= 255);
}

/** Makes text from elsewhere safe for a terminal: control and direction-changing characters become visible escapes. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
