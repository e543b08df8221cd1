import { append } from '../../model/append.ts';
import type { DraftFlag, DraftPhase } from '../recipe-draft.ts';
import { endOfStatement, wordsOf } from '../shell/read-shell.ts';
import { expandWord, type ShellValues } from '../shell/shell-word.ts';
import type { DraftNotes } from './draft-notes.ts';

/** What another system's functions are, by what they do. */
export interface ForeignScripts {
  readonly prepare?: string | undefined;
  /** Configures, or configures and builds. */
  readonly build?: string | undefined;
  readonly check?: string | undefined;
  readonly install?: string | undefined;
}

export interface Dialect {
  /** Variables that mean something else here, or nothing: `pkgdir` is `$DESTDIR`. */
  readonly variables: Readonly<Record<string, string>>;
  /** What each command of one line is here; undefined leaves it as it is, an empty text leaves it out. */
  readonly command: (words: readonly string[], source: string) => string | undefined;
  /** A switch that stands for arguments: `$(use_enable ssl)`. */
  readonly switches?: (
    written: string,
  ) => { readonly flag: string; readonly on: string; readonly off: string } | undefined;
  readonly values: ShellValues;
}

export interface TranslatedBuild {
  readonly class: string;
  readonly configure: readonly string[];
  /** Arguments that flags turn on and off. */
  readonly flags: ReadonlyMap<string, Pick<DraftFlag, 'on' | 'off'>>;
  readonly phases: Readonly<Partial<Record<DraftPhase, string>>>;
}

/** What each class runs by itself, by its name. */
export type ClassPhases = Readonly<Record<string, Readonly<Partial<Record<DraftPhase, string>>>>>;

export interface TranslateOptions {
  readonly dialect: Dialect;
  readonly notes: DraftNotes;
  readonly classPhases: ClassPhases;
}

/**
 * Turns the functions of another recipe into a class with arguments where they do no more than that. A phase that does
 * more is written out, with what the class does in place of what is usual. Everything that means nothing here is noted.
 */
export function translateBuild(
  scripts: ForeignScripts,
  { dialect, notes, classPhases }: TranslateOptions,
): TranslatedBuild {
  const read = {
    prepare: readStatements(scripts.prepare, dialect, notes),
    build: readStatements(scripts.build, dialect, notes),
    check: readStatements(scripts.check, dialect, notes),
    install: readStatements(scripts.install, dialect, notes),
  };
  const all = [...read.prepare, ...read.build, ...read.check, ...read.install];
  const className =
    all.flatMap((found) => (found.kind === 'known' ? (found.class ?? []) : []))[0] ?? classOfKept(read.build);
  const place: ArgumentPlace = { className, configure: [], flags: new Map(), dialect, notes };
  for (const found of all) {
    for (const word of found.kind === 'known' ? (found.arguments ?? []) : []) addArgument(word, place);
  }
  const at = read.build.findLastIndex((found) => found.kind === 'known' && found.arguments !== undefined);
  const before = read.build.slice(0, at + 1);
  const exports = before.filter((found) => found.kind === 'kept' && found.text.startsWith('export '));
  const after = [...exports, ...read.build.slice(at + 1)];
  const usual = Object.hasOwn(classPhases, className) ? classPhases[className]! : {};
  const phases: Partial<Record<DraftPhase, string>> = {};
  for (const [phase, statements] of [
    ['prepare', read.prepare.filter((found) => found.kind !== 'known')],
    ['configure', before],
    ['build', after],
    ['check', read.check],
    ['install', read.install],
  ] as const) {
    if (!statements.some(({ kind }) => kind === 'kept')) continue;
    for (const found of statements) noteForeign(found, (what) => notes.todo('phases', `${phase}: ${what}`));
    const text = phaseText(statements, usual[phase], phase === 'build' && exports.length > 0);
    const said = (what: string) => notes.todo('phases', `${phase}: ${what}`);
    phases[phase] = translateText(text, dialect, said, usual[phase]);
    if (/^(?:cmake|meson)$/.test(className) && /(?:^|[\s"/])(?:build|output)\//m.test(phases[phase] ?? '')) {
      said('what is built lies in buildit-build here');
    }
  }
  return { class: className, configure: place.configure, flags: place.flags, phases };
}

/** Who runs make in a way of its own still wants the flags that the class has. */
function classOfKept(build: readonly Statement[]): string {
  return build.some((found) => found.kind === 'kept' && /^(?:make|gmake|emake)\b/.test(found.text)) ? 'make' : 'none';
}

/** Functions that abuild and eclasses bring along, of which nothing here does the same. */
const FOREIGN_FUNCTION =
  /^(?:abuild-\w+|amove|append-\w+|cmake_\w+|default|default_\w+|diropts|do(?!ne$)[a-z]+|e(?:apply(?:_user)?|autoreconf|conf|error|info|log|make|patch|warn|inst\w+docs)|exeinto|exeopts|filter-\w+|fowners|fperms|get_(?:libdir|version_\w+)|has|has_version|in_iuse|insinto|insopts|install_if|into|is-flagq?|keepdir|meson_\w+|msg|multilib_\w+|new[a-z]+|replace-flags|strip-flags|systemd_\w+|tc-\w+|udev_\w+|update_config_\w+|use|use_\w+|usev|usex|ver_\w+|warning)$/;

/** What changes a file's owner or rights, where a package here has root's files alone and says the rest elsewhere. */
const OTHERWISE: Readonly<Record<string, string>> = {
  chgrp: 'files of a package are root’s here',
  chown: 'files of a package are root’s here',
  setcap: 'in place of it, say it under capabilities',
};

function noteForeign(statement: Statement, said: (what: string) => void): void {
  if (statement.kind !== 'kept') return;
  for (const program of programsIn(statement.text)) {
    if (FOREIGN_FUNCTION.test(program)) said(`${program} is a function of the other system`);
    const isRoots = /\bch(?:own|grp)(?:\s+-\w+){0,8}\s+root(?::root)?\s/.test(statement.text);
    if (Object.hasOwn(OTHERWISE, program) && !isRoots) said(`${program}: ${OTHERWISE[program]}`);
  }
  if (
    /(?:^|\s)install\s(?:[^;&|]{0,200}\s)?(?:-[a-zA-Z]*[og]\s|--(?:owner|group)=)\s*["']?(?!root\b)/.test(
      statement.text,
    )
  ) {
    said(`install for another user or group: ${OTHERWISE.chown}`);
  }
}

/** What stands where a command can: also in conditions, in loops and in `$(…)`. */
/** A command without the `|| die …` or `|| return …` that ends it. */
function withoutFallback(source: string): string {
  const lastLine = source.lastIndexOf('\n');
  for (const { index, 0: found } of source.matchAll(/(?<!\s)\s*\|\|\s*(?:die|return)\b/g)) {
    if (index + found.length > lastLine) return source.slice(0, index);
  }
  return source;
}

function programsIn(script: string): ReadonlySet<string> {
  const commands = script.replace(/(?<![\w$"'./-])(?:then|do|else|elif|if|while|until|!)(?=\s)/g, ';');
  const first = commands.matchAll(/(?:^|[;&|({`])[ \t]*([A-Za-z_][\w-]*)(?![\w=-])/gm);
  const behindVariables = commands.matchAll(
    /(?:^|[;&|({`])[ \t]*(?:[A-Za-z_]\w{0,80}=(?:"[^"]{0,200}"|'[^']{0,200}'|[^\s"'`;&|]){0,80}[ \t]+){1,6}([A-Za-z_][\w-]*)(?![\w=-])/gm,
  );
  return new Set([...first, ...behindVariables].map(([, program]) => program!));
}

/** What is usual stands once, in the words of the class; a phase that lacks it gets it where it only sets variables. */
function phaseText(statements: readonly Statement[], usual: string | undefined, isUsualNeeded: boolean): string {
  const lines: string[] = [];
  let hasUsual = false;
  for (const found of statements) {
    if (found.kind === 'comment' || found.kind === 'kept') lines.push(found.text);
    if (found.kind !== 'known') continue;
    if (usual === undefined) lines.push(found.text);
    else if (!hasUsual) lines.push(USUAL_MARK);
    hasUsual = true;
  }
  if (isUsualNeeded && !hasUsual && usual !== undefined) lines.push(USUAL_MARK);
  return lines.join('\n');
}

/** Stands for what a class does while a script is translated: that is in the words of this system already. */
const USUAL_MARK = '# @usual@';

type Statement =
  | {
      readonly kind: 'known';
      /** Undefined: whatever the class of the others is. */
      readonly class?: string | undefined;
      readonly text: string;
      readonly arguments?: readonly string[] | undefined;
    }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'kept'; readonly text: string };

/** The statements of a body, with lists such as `local conf=( … )` put in where they are used. */
function readStatements(body: string | undefined, dialect: Dialect, notes: DraftNotes): Statement[] {
  const lists = new Map<string, readonly string[]>();
  const used = new Set(['mycmakeargs', 'emesonargs']);
  const statements = statementsOf(body ?? '').map((source): Statement => {
    if (source.startsWith('#')) return { kind: 'comment', text: source };
    const local = /^(?:local|declare(?:\s+-a)?)?\s*([A-Za-z_][A-Za-z0-9_]*)\+?=\(([\s\S]*)\)$/.exec(source);
    if (local !== null) {
      lists.set(local[1]!, [...(lists.get(local[1]!) ?? []), ...wordsOf(local[2]!)]);
      return { kind: 'dropped' };
    }
    const text = withoutFallback(source);
    const named: string[] = [];
    const words = wordsOf(text).flatMap((word) => {
      const [, list] = /^"?\$\{([A-Za-z_][A-Za-z0-9_]*)\[[@*]\]\}"?$/.exec(word) ?? [];
      if (list === undefined) return [word];
      named.push(list);
      return lists.get(list) ?? [word];
    });
    // Behind an operator there is another command, or a file.
    const usual = words.some((word) => /^[&|<>()]$/.test(word)) ? undefined : usualCommand(words, lists);
    if (usual !== undefined) for (const list of named) used.add(list);
    if (usual !== undefined) return usual.kind === 'known' ? { ...usual, text } : usual;
    const own = dialect.command(words, text);
    return own === '' ? { kind: 'dropped' } : { kind: 'kept', text: own ?? text };
  });
  for (const [name, items] of lists) {
    if (!used.has(name)) notes.todo('phases', `the list ${name} is not translated: ${items.join(' ')}`);
  }
  return statements;
}

export function statementsOf(body: string): string[] {
  const statements: string[] = [];
  for (let at = 0; at < body.length; ) {
    const end = endOfStatement(body, at);
    const source = body.slice(at, end).trim();
    if (source !== '') statements.push(source);
    at = end + 1;
  }
  return statements;
}

/** Settings that a class passes itself: `DESTDIR="$pkgdir"`, `CFLAGS="$CFLAGS"`, `PREFIX=/usr`. */
function isUsualSetting(word: string): boolean {
  const [, name = '', value = ''] = /^"?([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(word) ?? [];
  const plain = value.replaceAll('"', '').replace(/\$\{(\w+)\}/g, '$$$1');
  switch (name) {
    case 'DESTDIR':
      return /^\$(?:pkgdir|DESTDIR|D|ED)\/?$/.test(plain);
    case 'prefix':
    case 'PREFIX':
      return /^(?:\$EPREFIX)?\/usr\/?$/.test(plain);
    case 'V':
    case 'VERBOSE':
      return true;
    case 'ECONF_SOURCE':
      return plain === '$S' || plain === '.';
    case 'CFLAGS':
    case 'CXXFLAGS':
    case 'CPPFLAGS':
    case 'LDFLAGS':
      return plain === `$${name}`;
    default:
      return false;
  }
}

/** How many commands make runs at once, and how much it says. */
const USUAL_OF_MAKE = /^"?(?:-j(?!1"?$)\S*|-[sw]|-O\w*|\$\{?MAKEOPTS\}?)"?$/;

/** What builders are told of where they build, how many at once, and how much they say. */
const USUAL_OF_TOOL =
  /^(?:--(?:build|install|test-dir|parallel|target|destdir|no-rebuild|print-errorlogs|output-on-failure|verbose)|--destdir=\$\S+|-[CjvV]|-j\$?\S*|compile|install|test|all|\.|\.\.|_?build\w*|output|\$\{?(?:JOBS|pkgdir|DESTDIR|D|ED|BUILD_DIR)\}?|[0-9]+)$/;

/** Commands that a class runs by itself; `arguments` are those of a configure. */
function usualCommand(
  words: readonly string[],
  lists: ReadonlyMap<string, readonly string[]>,
): { kind: 'known'; class?: string; arguments?: readonly string[] } | { kind: 'dropped' } | undefined {
  const isSetting = (word: string) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);
  const at = words.findIndex((word) => !isSetting(word));
  const before = words.slice(0, Math.max(at, 0)).filter((word) => !isUsualSetting(word));
  const own = at < 0 ? words : words.slice(at);
  const [program = '', ...rest] = own.map((word) => expandWord(word, new Map()).text);
  // Scripts of autoconf take variables as arguments too; for others they are noted as such.
  const raw = [...before, ...own.slice(1).filter((word) => !isUsualSetting(word))];
  if (before.length > 0 && !/^(?:\.\/configure|econf|cmake|meson|abuild-meson)$/.test(program)) return undefined;
  const isToolAlone = rest.every((word) => USUAL_OF_TOOL.test(word));
  const known = (className: string, given?: readonly string[]) =>
    ({ kind: 'known', class: className, ...(given === undefined ? {} : { arguments: given }) }) as const;
  switch (program) {
    case './configure':
    case 'econf':
    case 'autoconf/configure':
      return known('autotools', raw);
    case 'make':
    case 'emake': {
      const others = own.slice(1).filter((word) => !isUsualSetting(word) && !USUAL_OF_MAKE.test(word));
      return others.every((word) => ['all', 'check', 'test', 'install'].includes(word)) ? known('make') : undefined;
    }
    case 'cmake':
      if (!/^--(?:build|install)$/.test(rest[0] ?? '')) return known('cmake', raw);
      return isToolAlone && before.length === 0 ? known('cmake') : undefined;
    case 'cmake_src_configure':
      return known('cmake', [...(lists.get('mycmakeargs') ?? []), ...raw]);
    case 'meson_src_configure':
      return known('meson', [...(lists.get('emesonargs') ?? []), ...raw]);
    case 'default_src_configure':
      return known('autotools', []);
    case 'abuild-meson':
      return known('meson', raw);
    case 'meson':
      if (!/^(?:compile|install|test)$/.test(rest[0] ?? '')) {
        return known('meson', rest[0] === 'setup' ? raw.filter((word) => word !== 'setup') : raw);
      }
      return isToolAlone && before.length === 0 ? known('meson') : undefined;
    case 'ninja':
    case 'meson_src_compile':
    case 'meson_src_install':
    case 'meson_src_test':
      return isToolAlone ? known('meson') : undefined;
    case 'ctest':
    case 'cmake_src_compile':
    case 'cmake_src_install':
    case 'cmake_src_test':
      return isToolAlone ? known('cmake') : undefined;
    case 'default':
    case 'default_src_install':
    case 'default_src_compile':
    case 'default_src_test':
      return { kind: 'known' };
    case 'default_prepare':
    case 'default_src_prepare':
    case 'eapply_user':
    case 'cmake_src_prepare':
    case 'einstalldocs':
    case 'update_config_sub':
    case ':':
    case 'true':
      return { kind: 'dropped' };
    case 'cd':
      return rest.length === 1 && /^"?\$\{?(?:builddir|S)\}?"?$/.test(raw[0] ?? '') ? { kind: 'dropped' } : undefined;
    default:
      return undefined;
  }
}

/** What every class passes itself, or what makes no sense here. */
const USUAL_ARGUMENT =
  /^(?:--(?:prefix=\/usr|build=.*|host=.*|target=.*|sysconfdir=\/etc|localstatedir=\/var|mandir=\/usr\/share\/man|infodir=\/usr\/share\/info|libdir=.*|buildtype=.*|wrap-mode=.*)|-G.*|Ninja|Unix|Makefiles|-B.*|-S\.?|-DCMAKE_(?:INSTALL_PREFIX|INSTALL_LIBDIR|BUILD_TYPE|INSTALL_SYSCONFDIR|INSTALL_LOCALSTATEDIR)=.*|-DCMAKE_C_FLAGS=\$\{?CFLAGS\}?|-DCMAKE_CXX_FLAGS=\$\{?CXXFLAGS\}?|-Dprefix=.*|-Dbuildtype=.*|\.|\.\.|build|output|-C)$/;

const PLAIN_ARGUMENT = /^[A-Za-z0-9_@%+=:,./-]+$/;

interface ArgumentPlace {
  readonly className: string;
  readonly configure: string[];
  readonly flags: Map<string, { on: string[]; off: string[] }>;
  readonly dialect: Dialect;
  readonly notes: DraftNotes;
}

function addArgument(word: string, { className, configure, flags, dialect, notes }: ArgumentPlace): void {
  const [, before, written, after] = /^"?([^$"]*)(\$\([^()]*\))"?([^$"]*)$/.exec(word) ?? [];
  const found = written === undefined ? undefined : dialect.switches?.(written.slice(2, -1).trim());
  if (found !== undefined) {
    // What is not quoted is several words, and an empty one is none.
    const wordsOfChoice = (chosen: string) =>
      word.startsWith('"') ? [`${before}${chosen}${after}`] : `${before}${chosen}${after}`.split(/\s+/);
    const [on, off] = [found.on, found.off].map((chosen) => wordsOfChoice(chosen).filter((one) => one !== '')) as [
      string[],
      string[],
    ];
    if (![...on, ...off].every((one) => PLAIN_ARGUMENT.test(one))) {
      notes.todo('configure', `an argument was not understood: ${word}`);
      return;
    }
    const flag = flags.get(found.flag) ?? { on: [], off: [] };
    flags.set(found.flag, flag);
    append(flag.on, on);
    append(flag.off, off);
    return;
  }
  const { text, unknown } = expandWord(word, dialect.values);
  if (text === '' || USUAL_ARGUMENT.test(text) || /^\$\{?(?:CMAKE_CROSSOPTS|crossopts|_?configure_opts)\b/.test(text))
    return;
  const isSetting = /^[A-Za-z_][A-Za-z0-9_]*=/.test(text) && className !== 'autotools';
  if (unknown.length > 0 || isSetting || !PLAIN_ARGUMENT.test(text)) {
    notes.todo('configure', `an argument was not understood: ${word}`);
  } else configure.push(text);
}

/** Variables that a build has here. */
const KNOWN_VARIABLES = new Set(
  'BUILDIT_CONFIGURE CC CFLAGS CPPFLAGS CXX CXXFLAGS DESTDIR FILESDIR HOME IFS JOBS LDFLAGS OLDPWD PATH PWD SOURCE_DATE_EPOCH TMPDIR'.split(
    ' ',
  ),
);

/** A script in the words of this system; `note` is told of every variable that means nothing here. */
function translateText(
  script: string,
  { variables, values }: Dialect,
  note: (text: string) => void,
  usual = '',
): string {
  const own = new Set(
    [...script.matchAll(/(?:^|[\s;])(?:local\s+|for\s+)?([A-Za-z_][A-Za-z0-9_]*)(?:=|\s+in\s)/g)].map(
      ([, name]) => name!,
    ),
  );
  return script
    .replaceAll('{{', '\\{{')
    .replace(/\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (written, braced, plain) => {
      const name: string = braced ?? plain;
      const known = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (known !== undefined) return known;
      if (own.has(name) || KNOWN_VARIABLES.has(name)) return written;
      const value = values.get(name);
      if (typeof value === 'string' && /^[A-Za-z0-9_@%+=:,./-]{0,200}$/.test(value)) return value;
      note(`$${name} means nothing here`);
      return written;
    })
    .replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)[^A-Za-z0-9_}][^}]{0,200}\}/g, (written, name) => {
      if (!own.has(name) && !KNOWN_VARIABLES.has(name)) note(`${written} means nothing here`);
      return written;
    })
    .replace(USUAL_MARK, () => usual);
}
