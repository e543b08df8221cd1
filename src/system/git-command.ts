import { join } from 'node:path';
import { absolutePath, type Environment, findHome } from './user-directories.ts';

/**
 * How git is run on what others wrote: nothing but https (or http, to this machine), no hooks, no helpers, no settings of
 * this machine or its user, and nothing that a repository could choose to have run.
 */
export function gitPolicy({ allowHttp }: { readonly allowHttp: boolean }): readonly string[] {
  return policyOf([
    'protocol.allow=never',
    'protocol.https.allow=always',
    // A redirect may lead to another https address at most; where http is spoken, to nothing at all.
    ...(allowHttp ? ['protocol.http.allow=always', 'http.followRedirects=false'] : ['http.followRedirects=initial']),
  ]);
}

/**
 * How git is run in a repository of this machine, whose settings somebody else may have written: no command that they
 * name is run, and nothing is asked of any network, as a partial clone otherwise would be for what it lacks. The
 * directory is given, not found, so that git neither takes another repository nor minds whose this one is.
 */
export function localGitPolicy(topLevel: string): readonly string[] {
  return [
    ...['--no-pager', '--literal-pathspecs', `--git-dir=${join(topLevel, '.git')}`, `--work-tree=${topLevel}`],
    ...policyOf(['protocol.allow=never', `safe.directory=${topLevel}`]),
  ];
}

/** How git is asked for the settings that its user sees in a directory. */
export function gitConfigPolicy(): readonly string[] {
  return ['--no-pager', ...policyOf(['protocol.allow=never'])];
}

function policyOf(own: readonly string[]): readonly string[] {
  const settings = [
    ...own,
    'core.hooksPath=/dev/null',
    'core.symlinks=false',
    'core.fsmonitor=false',
    'core.untrackedCache=false',
    'core.pager=cat',
    'core.bigFileThreshold=8m',
    'credential.helper=',
    'fetch.recurseSubmodules=false',
    // One pack, however many objects: its size is bounded by the limit on a file.
    'fetch.unpackLimit=1',
    'transfer.bundleURI=false',
    'pack.threads=2',
    'gc.auto=0',
    'maintenance.auto=false',
    'http.sslVerify=true',
    'http.lowSpeedLimit=1024',
    'http.lowSpeedTime=30',
  ];
  return ['--no-optional-locks', '--no-replace-objects', ...settings.flatMap((setting) => ['-c', setting])];
}

const PROXIES = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'all_proxy', 'ALL_PROXY'];

/**
 * Variables that also those versions of git obey that lack newer switches: GIT_ALLOW_PROTOCOL, which is older than
 * partial clones, beats every `protocol.*.allow` of a repository.
 */
const CLOSED: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_PROTOCOL_FROM_USER: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_LFS_SKIP_SMUDGE: '1',
};

/** The whole environment of git in a repository of this machine: nothing of the caller's, and no protocol at all. */
export function localGitEnvironment(home: string): Record<string, string> {
  return {
    ...gitEnvironment({}, { home, caFile: undefined }),
    GIT_ALLOW_PROTOCOL: '',
    GIT_GRAFT_FILE: '/dev/null',
    GIT_PAGER: 'cat',
    GIT_EDITOR: 'false',
    GIT_ASKPASS: 'false',
  };
}

/** The environment in which git finds its user's own settings, and runs nothing for those of a project. */
export function gitConfigEnvironment(environment: Environment): Record<string, string> {
  const home = findHome(environment);
  const own = ['XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM'].flatMap((name) => {
    const path = absolutePath(environment, name);
    return path === undefined ? [] : [[name, path]];
  });
  return {
    ...CLOSED,
    ...Object.fromEntries(own),
    ...(home === undefined ? { GIT_CONFIG_GLOBAL: '/dev/null' } : { HOME: home }),
    PATH: '/usr/local/bin:/usr/bin:/bin',
    GIT_ALLOW_PROTOCOL: '',
    GIT_PAGER: 'cat',
  };
}

/**
 * The whole environment of git: proxies and certificates of the caller's, and a home that is empty. `caFile` holds the
 * authorities to trust where those are not the system's.
 */
export function gitEnvironment(
  environment: NodeJS.ProcessEnv,
  {
    home,
    caFile,
    allowHttp = false,
  }: { readonly home: string; readonly caFile: string | undefined; readonly allowHttp?: boolean },
): Record<string, string> {
  const passed = PROXIES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]));
  return {
    ...Object.fromEntries(passed),
    ...(caFile === undefined ? {} : { GIT_SSL_CAINFO: caFile }),
    ...CLOSED,
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: allowHttp ? 'https:http' : 'https',
  };
}
