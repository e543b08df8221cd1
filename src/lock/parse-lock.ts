import { isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import {
  type ContainerLock,
  type DebianPin,
  type DebianSet,
  type DebianSourceFormat,
  type DebianSourcePin,
  type DebianSourceSet,
  LOCK_FORMAT,
  type PatchPin,
  type RepositoryLock,
} from '../model/lock.ts';
import {
  isCleanRelativePath,
  isDebianPackageName,
  isDebianVersion,
  isSuiteName,
  isVersion,
  printable,
} from '../model/names.ts';

/** Reads a repository's lock. A lock comes with somebody's directory: every field is checked before it is used. */
export function parseRepositoryLock(text: string, file: string): RepositoryLock {
  const lock = new LockReader(text, file, 'repository');
  return {
    format: LOCK_FORMAT,
    kind: 'repository',
    wanted: lock.texts('wanted'),
    roots: lock.debianSet('roots'),
    ...lock.sources(),
  };
}

/** Reads the lock beside a container.yaml. */
export function parseContainerLock(text: string, file: string): ContainerLock {
  const lock = new LockReader(text, file, 'container');
  return {
    format: LOCK_FORMAT,
    kind: 'container',
    repositories: lock.map('repositories', (value, at) => ({
      lock: lock.digest(lock.object(value, at).lock, `${at}.lock`),
    })),
    wanted: lock.texts('wanted'),
    debian: lock.debianSet('debian'),
    additions: lock.debianSet('additions'),
    overrides: lock.map('overrides', (value, at) => lock.pin(value, at)),
    ...lock.sources(),
    patches: lock.map('patches', (value, at) => lock.patch(value, at)),
    versions: lock.map('versions', (value, at) => lock.check(value, at, isVersion, 'a version')),
    layers: lock.list('layers').map((group, index) => lock.textsOf(group, `layers[${index}]`)),
    ...lock.discovered(),
  };
}

const ARCHIVE = /^[a-z][a-z0-9-]{0,63}$/;
const ARCHITECTURE = /^[a-z][a-z0-9-]{0,31}$/;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const SOURCE_FORMATS: readonly string[] = ['1.0', '3.0 (native)', '3.0 (quilt)'] satisfies DebianSourceFormat[];

function isSourceFormat(text: string): boolean {
  return SOURCE_FORMATS.includes(text);
}

function isPoolPath(text: string): boolean {
  return isCleanRelativePath(text) && /^pool\/[\w/.+~%:=-]+$/.test(text);
}

function isRevision(text: string): boolean {
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text);
}

class LockReader {
  private readonly file: string;
  private readonly members: Record<string, unknown>;

  constructor(text: string, file: string, kind: 'repository' | 'container') {
    this.file = file;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.error('expected JSON', cause);
    }
    this.members = this.object(value, 'the lock');
    if (this.members.format !== LOCK_FORMAT) {
      throw this.error(
        `expected format ${LOCK_FORMAT}, found ${printable(JSON.stringify(this.members.format) ?? 'none')}`,
      );
    }
    if (this.members.kind !== kind) throw this.error(`expected the lock of a ${kind}`);
  }

  /** A member that most locks do not have. */
  discovered(): Pick<ContainerLock, 'discovered'> {
    if (this.members.discovered === undefined) return {};
    const discovered = this.map('discovered', (value, at) => {
      const { revision, signers, recipes } = this.object(value, at);
      return {
        revision: revision === null ? null : this.check(revision, `${at}.revision`, isRevision, 'a full commit id'),
        signers: this.textsOf(signers, `${at}.signers`),
        recipes: Object.fromEntries(
          Object.entries(this.object(recipes, `${at}.recipes`)).map(([name, commit]) => [
            name,
            this.check(commit, `${at}.recipes`, isRevision, 'a full commit id'),
          ]),
        ),
      };
    });
    return { discovered };
  }

  /** Debian source packages, which most locks have none of. */
  sources(): { readonly sources?: DebianSourceSet } {
    if (this.members.sources === undefined) return {};
    return { sources: this.map('sources', (value, at) => this.sourcePin(value, at)) };
  }

  texts(key: string): string[] {
    return this.textsOf(this.members[key], key);
  }

  textsOf(value: unknown, at: string): string[] {
    if (!Array.isArray(value)) throw this.error(`expected a list at ${at}`);
    return value.map((item, index) => this.check(item, `${at}[${index}]`, (text) => text.length < 4096, 'a text'));
  }

  list(key: string): unknown[] {
    const value = this.members[key];
    if (!Array.isArray(value)) throw this.error(`expected a list at ${key}`);
    return value;
  }

  map<T>(key: string, read: (value: unknown, at: string) => T): Record<string, T> {
    const entries = Object.entries(this.object(this.members[key], key));
    return Object.fromEntries(entries.map(([name, value]) => [name, read(value, `${key}["${printable(name)}"]`)]));
  }

  debianSet(key: string): DebianSet {
    const set = this.map(key, (value, at) => this.pin(value, at));
    for (const [name, pin] of Object.entries(set)) {
      if (pin.name !== name)
        throw this.error(`expected the package of its key at ${key}["${printable(name)}"], found "${pin.name}"`);
    }
    return set;
  }

  pin(value: unknown, at: string): DebianPin {
    const entry = this.object(value, at);
    const source = this.object(entry.source, `${at}.source`);
    return {
      name: this.check(entry.name, `${at}.name`, isDebianPackageName, 'a Debian package name'),
      version: this.check(entry.version, `${at}.version`, isDebianVersion, 'a Debian version'),
      architecture: this.check(
        entry.architecture,
        `${at}.architecture`,
        (text) => ARCHITECTURE.test(text),
        'an architecture',
      ),
      ...this.origin(entry, at),
      path: this.check(
        entry.path,
        `${at}.path`,
        (text) => isCleanRelativePath(text) && /^[\w/.+~%:-]+\.deb$/.test(text),
        'the path of a .deb',
      ),
      size: this.size(entry.size, `${at}.size`),
      sha256: this.digest(entry.sha256, `${at}.sha256`),
      depends: this.textsOf(entry.depends, `${at}.depends`).map((name) =>
        this.check(name, `${at}.depends`, isDebianPackageName, 'package names'),
      ),
      source: {
        name: this.check(source.name, `${at}.source.name`, isDebianPackageName, 'a Debian package name'),
        version: this.check(source.version, `${at}.source.version`, isDebianVersion, 'a Debian version'),
      },
      ...(entry.essential === true ? { essential: true as const } : {}),
      ...(entry.multiArchSame === true ? { multiArchSame: true as const } : {}),
    };
  }

  sourcePin(value: unknown, at: string): DebianSourcePin {
    const entry = this.object(value, at);
    const names = (key: string) =>
      this.textsOf(entry[key], `${at}.${key}`).map((name) =>
        this.check(name, `${at}.${key}`, isDebianPackageName, 'package names'),
      );
    if (!Array.isArray(entry.files)) throw this.error(`expected a list at ${at}.files`);
    return {
      name: this.check(entry.name, `${at}.name`, isDebianPackageName, 'a Debian package name'),
      version: this.check(entry.version, `${at}.version`, isDebianVersion, 'a Debian version'),
      format: this.check(entry.format, `${at}.format`, isSourceFormat, 'a source format') as DebianSourceFormat,
      ...this.origin(entry, at),
      files: entry.files.map((file: unknown, index) => {
        const place = `${at}.files[${index}]`;
        const { path, size, sha256 } = this.object(file, place);
        return {
          path: this.check(path, `${place}.path`, isPoolPath, 'the path of a source file'),
          size: this.size(size, `${place}.size`),
          sha256: this.digest(sha256, `${place}.sha256`),
        };
      }),
      binaries: names('binaries'),
      buildDepends: names('buildDepends'),
    };
  }

  /** Where something of the archive was found, and when. */
  origin({ suite, archive, date }: Record<string, unknown>, at: string): Pick<DebianPin, 'suite' | 'archive' | 'date'> {
    return {
      suite: this.check(suite, `${at}.suite`, isSuiteName, 'a suite'),
      archive: this.check(archive, `${at}.archive`, (text) => ARCHIVE.test(text), 'an archive'),
      date: this.check(date, `${at}.date`, (text) => DATE.test(text), 'a date in UTC'),
    };
  }

  patch(value: unknown, at: string): PatchPin {
    const entry = this.object(value, at);
    return {
      sha256: this.digest(entry.sha256, `${at}.sha256`),
      size: this.size(entry.size, `${at}.size`),
      normalisedSha256: this.digest(entry.normalisedSha256, `${at}.normalisedSha256`),
    };
  }

  check(value: unknown, at: string, accepts: (text: string) => boolean, what: string): string {
    if (typeof value === 'string' && accepts(value)) return value;
    throw this.error(`expected ${what} at ${at}, found ${printable(JSON.stringify(value) ?? 'nothing').slice(0, 200)}`);
  }

  digest(value: unknown, at: string): string {
    return this.check(value, at, isDigest, 'a SHA-256');
  }

  size(value: unknown, at: string): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.error(`expected a size in bytes at ${at}`);
  }

  object(value: unknown, at: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.error(`expected a mapping at ${at}`);
  }

  private error(what: string, cause?: unknown): BuilditError {
    return new BuilditError('definition-invalid', `Cannot read the lock "${printable(this.file)}": ${what}`, {
      cause,
      hint: 'a lock is written by buildit lock; take it back from version control, or delete it to have it written again',
    });
  }
}
