import { closestName } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { isRepositoryName, printable } from '../model/names.ts';
import { shownLocation } from './classify-location.ts';
import { isGitRef } from './git-ref.ts';

/** What one `--discover=…` asks for. */
export interface DiscoveryRequest {
  readonly location: string;
  /** Upload to the configured repository. */
  readonly push: boolean;
  /** Take only the recipes and binhosts of this name. */
  readonly name: string | undefined;
  /** Branch, tag or full commit id of a git repository. */
  readonly ref: string | undefined;
  /** Fingerprints of offered signers that count. */
  readonly trust: readonly string[];
}

const KEYS = ['push', 'name', 'ref', 'trust'] as const;
type Key = (typeof KEYS)[number];

/**
 * Reads `LOCATION[,push=True][,name=…][,ref=…][,trust=SHA256:…]`; `trust` may come several times. Whether the location is
 * one that can be asked is decided by `classifyLocation`.
 *
 * @throws BuilditError `usage` for unknown, repeated and malformed keys; values of unknown keys are not repeated.
 */
export function parseDiscovery(text: string): DiscoveryRequest {
  const [location = '', ...settings] = text.split(',');
  if (location === '') refuse('a location before the first comma', 'none');
  const values = new Map<Key, string[]>();
  for (const setting of settings) {
    const [key, value] = parseSetting(setting);
    const known = values.get(key) ?? [];
    if (known.length > 0 && key !== 'trust') refuse(`${key}= once`, 'it again');
    values.set(key, [...known, value]);
  }
  return {
    location,
    push: parsePush(values.get('push')?.[0]),
    name: checked('name', values.get('name')?.[0], isRepositoryName, 'a name such as containers'),
    ref: checked('ref', values.get('ref')?.[0], isGitRef, 'a branch, a tag or a full commit id'),
    trust: (values.get('trust') ?? []).map(
      (fingerprint) => checked('trust', fingerprint, isFingerprint, 'a fingerprint (SHA256: and 43 characters)')!,
    ),
  };

  function refuse(expected: string, found: string, hint?: string): never {
    const message = `Cannot use "--discover=${shownLocation(location)}": expected ${expected}, found ${found}`;
    throw new BuilditError('usage', message, { hint });
  }

  function parseSetting(setting: string): [Key, string] {
    const at = setting.indexOf('=');
    const typed = (at < 0 ? setting : setting.slice(0, at)).trim();
    const key = KEYS.find((known) => known === typed.toLowerCase());
    if (key !== undefined && at >= 0) return [key, setting.slice(at + 1).trim()];
    const shown = /^[A-Za-z_-]{1,20}$/.test(typed) ? `"${typed}"` : 'another text';
    const meant = closestName(typed, KEYS);
    const hint = meant === undefined ? undefined : `did you mean "${meant}="?`;
    return refuse('push=, name=, ref= or trust= after the location', shown, hint);
  }

  function parsePush(value: string | undefined): boolean {
    if (value === undefined || /^false$/i.test(value)) return false;
    return /^true$/i.test(value) || refuse('push=True or push=False', shownValue(value));
  }

  function checked(
    key: Key,
    value: string | undefined,
    isRight: (value: string) => boolean,
    expected: string,
  ): string | undefined {
    if (value === undefined || isRight(value)) return value;
    return refuse(`${key}= to be ${expected}`, shownValue(value));
  }
}

function shownValue(value: string): string {
  return `"${printable(value.slice(0, 80))}"`;
}

/** The form in which ssh-keygen(1) prints the SHA-256 of a public key. */
export function isFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}$/.test(text);
}
