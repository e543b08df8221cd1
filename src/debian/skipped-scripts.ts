import { ALTERNATIVES } from '../model/alternatives.ts';
import { isText, listOf, objectOf, oneOf } from '../model/json-shape.ts';
import type { DebianPin } from '../model/lock.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import { blobSize, openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { readControlFiles } from './control-files.ts';
import { openDeb } from './open-deb.ts';

/** What a maintainer script would have done that nothing in buildit does. */
export interface SkippedEffect {
  readonly kind: EffectKind;
  /** The command that would have done it: `phpenmod`, `adduser`. */
  readonly command: string;
}

interface EffectRule {
  readonly commands: readonly string[];
  /** Completes "would …". */
  readonly does: string;
  /** How a container does it instead. */
  readonly instead: string;
  /** Whether programs are likely to fail without it, so that a build reports it. */
  readonly matters: boolean;
}

/** Ordered by how much a program misses it. */
const RULES = {
  modules: {
    commands: ['phpenmod', 'enmod', 'a2enmod', 'a2enconf', 'a2ensite', 'lighty-enable-mod'],
    does: 'enable modules or sites',
    instead: '"link" steps do it',
    matters: true,
  },
  users: {
    commands: ['adduser', 'addgroup', 'useradd', 'groupadd', 'systemd-sysusers'],
    does: 'make users',
    instead: '"user" steps do it',
    matters: true,
  },
  alternatives: {
    commands: ['update-alternatives'],
    does: 'make links of alternatives',
    instead: '"link" steps do it',
    matters: true,
  },
  databases: {
    commands: ['pg_createcluster', 'mysql_install_db', 'mariadb-install-db', 'locale-gen'],
    does: 'make data that programs start with',
    instead: 'the entrypoint or a recipe does it',
    matters: true,
  },
  keys: {
    commands: ['ssh-keygen', 'make-ssl-cert'],
    does: 'make keys',
    instead: 'mount them, since an image is no place for keys',
    matters: false,
  },
  configuration: {
    commands: ['ucf', 'db_get'],
    does: 'write configuration files',
    instead: '"sync" and "file" steps do it',
    matters: false,
  },
  directories: {
    commands: ['mkdir', 'install'],
    does: 'make directories',
    instead: '"directory" steps do it',
    matters: false,
  },
  permissions: {
    commands: ['chown', 'chmod', 'chgrp', 'setcap', 'dpkg-statoverride'],
    does: 'change owners and modes',
    instead: '"directory" steps with chown and chmod do it',
    matters: false,
  },
  diversions: {
    commands: ['dpkg-divert'],
    does: 'rename files of other packages',
    instead: '"link" and "file" steps do it',
    matters: false,
  },
  caches: {
    commands: [
      ...['fc-cache', 'gdk-pixbuf-query-loaders', 'gio-querymodules', 'glib-compile-schemas', 'mandb'],
      ...['gtk-update-icon-cache', 'update-catalog', 'update-desktop-database', 'update-icon-caches', 'update-inetd'],
      ...['update-info-dir', 'update-locale', 'update-mime-database', 'update-shells', 'update-xmlcatalog'],
    ],
    does: 'write caches and lists',
    instead: 'programs do without, or a recipe writes them',
    matters: false,
  },
} as const satisfies Readonly<Record<string, EffectRule>>;

export type EffectKind = keyof typeof RULES;

export const EFFECT_KINDS = Object.keys(RULES) as readonly EffectKind[];

export function effectRule(kind: EffectKind): EffectRule {
  return RULES[kind];
}

const isSkippedEffects = listOf(
  objectOf<{ readonly kind: EffectKind; readonly command: string }>({ kind: oneOf(...EFFECT_KINDS), command: isText }),
);

const NAMESPACE = 'skipped-scripts';
/** A change of what is looked for. */
const VERSION = 1;

/** What the scripts of a package would have done; undefined where its archive is not in the store. */
export async function skippedEffects(store: Store, pin: DebianPin): Promise<readonly SkippedEffect[] | undefined> {
  const key = `${VERSION} ${pin.sha256}`;
  const known = await readNote(store, NAMESPACE, key, isSkippedEffects);
  if (known !== undefined) return known;
  if ((await blobSize(store, pin.sha256)) === undefined) return undefined;
  const what = `${pin.name}_${pin.version}_${pin.architecture}.deb`;
  const deb = await openDeb(openBlob(store, pin.sha256), what);
  try {
    const files = await readControlFiles(deb.control, ['control', 'preinst', 'postinst'], what);
    const scripts = ['preinst', 'postinst'].flatMap((name) => files.get(name) ?? []);
    const effects = scriptEffects(scripts.map((bytes) => bytes.toString('latin1')).join('\n'));
    await writeNote(store, NAMESPACE, key, plainJson(effects));
    return effects;
  } finally {
    await deb.close();
  }
}

/** Longer ones are no scripts that a person wrote. */
const MOST_CHARACTERS = 4 * 2 ** 20;
/** Arguments of a command that are looked at. */
const MOST_ARGUMENTS = 64;
const MESSAGES = /^(?:echo|printf|log|[a-z0-9_]*_?(?:msg|log|warn))$/;

/**
 * Judges the text of scripts by the commands in it, each kind once. It is a guess: a command counts whether or not the
 * script comes to it. What buildit does itself (known alternatives, certificates, the loader's cache) is left out, and
 * so are services, which an image does not start.
 */
export function scriptEffects(text: string): readonly SkippedEffect[] {
  const found = new Map<EffectKind, SkippedEffect>();
  const lines = text.slice(0, MOST_CHARACTERS).replaceAll('\\\n', ' ').split('\n');
  for (const line of lines) {
    const words = line.split(/[\s;|&()`"'{}<>]+/).filter((word) => word !== '');
    const [first] = words;
    if (first === undefined || first.startsWith('#') || MESSAGES.test(first)) continue;
    for (const [index, word] of words.entries()) {
      const command = word.slice(word.lastIndexOf('/') + 1);
      const kind = KINDS.get(command);
      if (
        kind === undefined ||
        found.has(kind) ||
        !counts(kind, command, words.slice(index + 1, index + MOST_ARGUMENTS))
      )
        continue;
      found.set(kind, { kind, command: command === 'enmod' ? 'phpenmod' : command });
    }
  }
  return EFFECT_KINDS.flatMap((kind) => found.get(kind) ?? []);
}

const KINDS: ReadonlyMap<string, EffectKind> = new Map(
  EFFECT_KINDS.flatMap((kind) => RULES[kind].commands.map((command) => [command, kind] as const)),
);

/** `words` follow the command. */
function counts(kind: EffectKind, command: string, words: readonly string[]): boolean {
  switch (kind) {
    case 'alternatives':
      return words.some((word, index) => word === '--install' && isUnknownLink(words[index + 1]));
    case 'directories':
      if (command === 'install' && !words.some((word) => /^-[a-z]*d|^--directory/.test(word))) return false;
      return words.some((word) => /^\/(?:var|etc|srv|run|opt)\//.test(word));
    case 'permissions':
      if (command === 'dpkg-statoverride') return words.includes('--add');
      return words.some((word) => /^\/(?!usr\/local\/|dev\/)/.test(word));
    case 'diversions':
      return words.includes('--add');
    case 'users':
      return !words.includes('--version');
    default:
      return true;
  }
}

/** One for a program, which buildit makes not. A name that only the script knows is passed over. */
function isUnknownLink(link: string | undefined): boolean {
  if (link === undefined || !/^\/(?:usr\/)?s?bin\/[^$]+$/.test(link)) return false;
  const path = link.slice(1);
  return !Object.hasOwn(ALTERNATIVES, path.startsWith('usr/') ? path : `usr/${path}`);
}
