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
    prepare: readStatements(scripts.prepare, dialect),
    build: readStatements(scripts.build, dialect),
    check: readStatements(scripts.check, dialect),
    install: readStatements(scripts.install, dialect),
  };
  const all = [...read.prepare, ...read.build, ...read.check, ...read.install];
  const className = all.flatMap((found) => (found.kind === 'known' ? (found.class ?? []) : []))[0] ?? 'none';
  const place: ArgumentPlace = { configure: [], flags: new Map(), dialect, notes };
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
    for (const name of statements.flatMap(foreignFunction)) {
      notes.todo('phases', `${phase}: ${name} is a function of the other system`);
    }
    const text = phaseText(statements, usual[phase], phase === 'build' && exports.length > 0);
    const said = (what: string) => notes.todo('phases', `${phase}: ${what}`);
    phases[phase] = translateText(text, dialect, said, usual[phase]);
    if (/^(?:cmake|meson)$/.test(className) && /(?:^|[\s"/])(?:build|output)\//m.test(phases[phase] ?? '')) {
      said('what is built lies in buildit-build here');
    }
  }
  return { class: className, configure: place.configure, flags: place.flags, phases };
}

/** Functions that abuild and eclasses bring along, of which nothing here does the same. */
const FOREIGN_FUNCTION =
  /^(?:amove|append-\w+|cmake_\w+|default_\w+|do[a-z]+|eapply|einfo|elog|epatch|ewarn|exeinto|filter-flags|fowners|fperms|insinto|install_if|keepdir|meson_\w+|new[a-z]+|replace-flags|systemd_\w+|tc-\w+|use|use_\w+|usex)$/;

function foreignFunction(statement: Statement): string[] {
  if (statement.kind !== 'kept') return [];
  const program = wordsOf(statement.text).find((word) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) ?? '';
  return FOREIGN_FUNCTION.test(program) && program !== 'done' ? [program] : [];
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
function readStatements(body: string | undefined, dialect: Dialect): Statement[] {
  const lists = new Map<string, readonly string[]>();
  return statementsOf(body ?? '').map((source): Statement => {
    if (source.startsWith('#')) return { kind: 'comment', text: source };
    const local = /^(?:local|declare(?:\s+-a)?)?\s*([A-Za-z_][A-Za-z0-9_]*)\+?=\(([\s\S]*)\)$/.exec(source);
    if (local !== null) {
      lists.set(local[1]!, [...(lists.get(local[1]!) ?? []), ...wordsOf(local[2]!)]);
      return { kind: 'dropped' };
    }
    const text = source.replace(/\s*\|\|\s*(?:die|return)\b[^\n]*$/, '');
    const words = wordsOf(text).flatMap((word) => {
      const [, list] = /^"?\$\{([A-Za-z_][A-Za-z0-9_]*)\[[@*]\]\}"?$/.exec(word) ?? [];
      return list === undefined ? [word] : (lists.get(list) ?? [word]);
    });
    const usual = usualCommand(words, lists);
    if (usual !== undefined) return usual.kind === 'known' ? { ...usual, text } : usual;
    const own = dialect.command(words, text);
    return own === '' ? { kind: 'dropped' } : { kind: 'kept', text: own ?? text };
  });
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

/** Commands that a class runs by itself; `arguments` are those of a configure. */
function usualCommand(
  words: readonly string[],
  lists: ReadonlyMap<string, readonly string[]>,
): { kind: 'known'; class?: string; arguments?: readonly string[] } | { kind: 'dropped' } | undefined {
  const plain = words.filter((word) => !/^(?:DESTDIR|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|ECONF_SOURCE)=/.test(word));
  const [program = '', ...rest] = plain.map((word) => expandWord(word, new Map()).text);
  const raw = plain.slice(1);
  const known = (className: string, given?: readonly string[]) =>
    ({ kind: 'known', class: className, ...(given === undefined ? {} : { arguments: given }) }) as const;
  switch (program) {
    case './configure':
    case 'econf':
    case 'autoconf/configure':
      return known('autotools', raw);
    case 'make':
    case 'emake': {
      const targets = rest.filter((word) => !/^(?:-|[A-Za-z_]+=)/.test(word));
      const settings = rest.filter((word) => /^[A-Za-z_]+=/.test(word) && !/^(?:DESTDIR|V|prefix|PREFIX)=/.test(word));
      const isUsual = targets.every((target) => ['all', 'check', 'test', 'install'].includes(target));
      return isUsual && settings.length === 0 ? known('make') : undefined;
    }
    case 'cmake':
      if (/^--(?:build|install)$/.test(rest[0] ?? '')) return rest.length <= 4 ? known('cmake') : undefined;
      return known('cmake', raw);
    case 'cmake_src_configure':
      return known('cmake', lists.get('mycmakeargs') ?? []);
    case 'meson_src_configure':
      return known('meson', lists.get('emesonargs') ?? []);
    case 'default_src_configure':
      return known('autotools', []);
    case 'abuild-meson':
      return known('meson', raw);
    case 'meson':
      if (/^(?:compile|install|test)$/.test(rest[0] ?? '')) return known('meson');
      return known('meson', rest[0] === 'setup' ? raw.slice(1) : raw);
    case 'ninja':
      return known('meson');
    case 'ctest':
    case 'cmake_src_compile':
    case 'cmake_src_install':
    case 'cmake_src_test':
      return known('cmake');
    case 'meson_src_compile':
    case 'meson_src_install':
    case 'meson_src_test':
      return known('meson');
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
  /^(?:--(?:prefix=\/usr|build=.*|host=.*|target=.*|sysconfdir=\/etc|localstatedir=\/var|mandir=\/usr\/share\/man|infodir=\/usr\/share\/info|libdir=.*|buildtype=.*|wrap-mode=.*)|-G.*|Ninja|Unix|Makefiles|-[BS].*|-DCMAKE_(?:INSTALL_PREFIX|INSTALL_LIBDIR|BUILD_TYPE|INSTALL_SYSCONFDIR|INSTALL_LOCALSTATEDIR|C_FLAGS|CXX_FLAGS)=.*|-Dprefix=.*|-Dbuildtype=.*|\.|\.\.|build|output|-C)$/;

interface ArgumentPlace {
  readonly configure: string[];
  readonly flags: Map<string, { on: string[]; off: string[] }>;
  readonly dialect: Dialect;
  readonly notes: DraftNotes;
}

function addArgument(word: string, { configure, flags, dialect, notes }: ArgumentPlace): void {
  const [, before, written, after] = /^"?([^$"]*)(\$\([^()]*\))"?([^$"]*)$/.exec(word) ?? [];
  const found = written === undefined ? undefined : dialect.switches?.(written.slice(2, -1).trim());
  if (found !== undefined) {
    const flag = flags.get(found.flag) ?? { on: [], off: [] };
    flags.set(found.flag, flag);
    if (found.on !== '') flag.on.push(`${before}${found.on}${after}`);
    if (found.off !== '') flag.off.push(`${before}${found.off}${after}`);
    return;
  }
  const { text, unknown } = expandWord(word, dialect.values);
  if (text === '' || USUAL_ARGUMENT.test(text) || /^\$\{?(?:CMAKE_CROSSOPTS|crossopts|_?configure_opts)\b/.test(text))
    return;
  if (unknown.length > 0 || !/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) {
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
    .replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)[^A-Za-z0-9_}][^}]*\}/g, (written, name) => {
      if (!own.has(name) && !KNOWN_VARIABLES.has(name)) note(`${written} means nothing here`);
      return written;
    })
    .replace(USUAL_MARK, () => usual);
}
