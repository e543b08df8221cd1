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
 * How git is run in a repository of this machine, which has settings of its own: nothing is asked of any network, as a
 * partial clone otherwise would be for what it lacks. Nothing that is run there minds whose the repository is.
 */
export function localGitPolicy(topLevel: string): readonly string[] {
  return ['--literal-pathspecs', ...policyOf(['protocol.allow=never', `safe.directory=${topLevel}`])];
}

function policyOf(own: readonly string[]): readonly string[] {
  const settings = [
    ...own,
    'core.hooksPath=/dev/null',
    'core.symlinks=false',
    'core.fsmonitor=false',
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
 * The whole environment of git: proxies and certificates of the caller's, and a home that is empty. `caFile` holds the
 * authorities to trust where those are not the system's.
 */
export function gitEnvironment(
  environment: NodeJS.ProcessEnv,
  { home, caFile }: { readonly home: string; readonly caFile: string | undefined },
): Record<string, string> {
  const passed = PROXIES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]));
  return {
    ...Object.fromEntries(passed),
    ...(caFile === undefined ? {} : { GIT_SSL_CAINFO: caFile }),
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
  };
}
