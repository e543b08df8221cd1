import { isAbsolute, resolve } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { shownAddress, withoutSecrets } from '../model/without-secrets.ts';
import type { Environment } from '../system/user-directories.ts';
import type { ConfigSettings } from './config-settings.ts';
import { parseBoolean, parseJobs, parseMirror } from './config-values.ts';
import { parseBytes, parseDurationMs } from './quantities.ts';

/** The variables that count, by the setting they stand for. */
export const CONFIG_VARIABLES: Readonly<Record<string, string>> = {
  store: 'BUILDIT_STORE',
  'debian.mirror': 'BUILDIT_DEBIAN_MIRROR',
  'build.jobs': 'BUILDIT_JOBS',
  'build.timeout': 'BUILDIT_TIMEOUT',
  'build.memory': 'BUILDIT_MEMORY',
  'build.keep-failed': 'BUILDIT_KEEP_FAILED',
  'sign.key': 'BUILDIT_SIGN_KEY',
  'trust.allowed-signers': 'BUILDIT_ALLOWED_SIGNERS',
  offline: 'BUILDIT_OFFLINE',
};

/** Settings from `BUILDIT_*`; an empty variable is as good as none. */
export function readEnvironment(environment: Environment): ConfigSettings {
  const parsed = <Value>(
    key: string,
    expected: string,
    parse: (text: string) => Value | undefined,
  ): Value | undefined => {
    const name = CONFIG_VARIABLES[key]!;
    const text = environment[name];
    if (text === undefined || text === '') return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    throw new BuilditError(
      'configuration-invalid',
      `Cannot use ${name}: expected ${expected}, found "${printable(key === 'debian.mirror' ? shownAddress(text) : withoutSecrets(text))}"`,
    );
  };
  return {
    origin: (key) => CONFIG_VARIABLES[key] ?? 'environment',
    store: parsed('store', 'the absolute path of a directory', parseAbsolute),
    mirror: parsed('debian.mirror', 'the URL of a mirror', parseMirror),
    jobs: parsed('build.jobs', 'a number from 1 to 1024, or auto', parseJobs),
    timeoutMs: parsed('build.timeout', 'a time such as 2h, 30m or 90s', parseDurationMs),
    memoryBytes: parsed('build.memory', 'a size such as 4G or 512M', parseBytes),
    keepFailed: parsed('build.keep-failed', 'true or false', parseBoolean),
    signKey: parsed('sign.key', 'agent:SHA256:…, env:NAME or the absolute path of a key', parseKey),
    allowedSigners: parsed('trust.allowed-signers', 'the absolute path of a file', parseAbsolute),
    offline: parsed('offline', 'true or false', parseBoolean),
  };
}

/** A variable outlives a change of directory: a relative path in it would mean another file in each project. */
function parseAbsolute(text: string): string | undefined {
  return isAbsolute(text) && !text.includes('\0') ? resolve(text) : undefined;
}

function parseKey(text: string): string | undefined {
  return /^(?:agent|env):|^~(?:\/|$)/.test(text) ? text : parseAbsolute(text);
}
