/** BINPRM_BUF_SIZE: Linux looks no further for the end of the line. */
export const INTERPRETER_LINE_BYTES = 256;

/** The interpreter of a script as execve(2) reads it, and the program that it looks up itself where it is env(1). */
export function scriptInterpreters(beginning: Uint8Array): readonly string[] {
  const text = Buffer.from(beginning.subarray(0, INTERPRETER_LINE_BYTES)).toString('latin1');
  const [, interpreter, rest = ''] = /^#![ \t]*(\/[^ \t\n]*)[ \t]*([^\n]*)/.exec(text) ?? [];
  if (interpreter === undefined) return [];
  if (!/\/env$/.test(interpreter)) return [interpreter];
  const name = rest.split(/[ \t]+/).find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return name === undefined ? [interpreter] : [interpreter, name];
}

/** Debian packages that have the usual interpreters, by the names of their programs. */
const PACKAGES: Readonly<Record<string, string>> = {
  ash: 'busybox',
  awk: 'mawk',
  bash: 'bash',
  busybox: 'busybox',
  dash: 'dash',
  env: 'coreutils',
  expect: 'expect',
  fish: 'fish',
  gawk: 'gawk',
  guile: 'guile-3.0',
  ksh: 'ksh93u+m',
  lua: 'lua5.4',
  make: 'make',
  mawk: 'mawk',
  node: 'nodejs',
  nodejs: 'nodejs',
  perl: 'perl-base',
  php: 'php-cli',
  pypy3: 'pypy3',
  python3: 'python3',
  Rscript: 'r-base-core',
  ruby: 'ruby',
  sed: 'sed',
  sh: 'dash',
  tclsh: 'tcl',
  wish: 'tk',
  zsh: 'zsh',
};

/** The Debian package that has an interpreter, by its path or name. */
export function interpreterPackage(interpreter: string): string | undefined {
  const name = interpreter.slice(interpreter.lastIndexOf('/') + 1);
  if (Object.hasOwn(PACKAGES, name)) return PACKAGES[name];
  const [, family] = /^(python3|lua5|php8|ruby3)\.[0-9]{1,2}$/.exec(name) ?? [];
  return family === 'php8' ? `${name}-cli` : family === undefined ? undefined : name;
}
