import { SANDBOX_HOST_NAME } from '../model/sandbox-contract.ts';

/** The parts of a composed root as the sandbox shows them: every path checked to be what it is called (`viewRoot`). */
export interface RootView {
  readonly path: string;
  /** Names of top-level entries that are real directories. */
  readonly directories: readonly string[];
  /** Top-level links out of the fixed table. */
  readonly links: readonly { readonly name: string; readonly target: string }[];
  /** Names of top-level entries that are files. */
  readonly files?: readonly string[] | undefined;
  /** Files laid over ones of /proc, `path` absolute in the sandbox. */
  readonly procFiles: readonly { readonly path: string; readonly source: string }[];
}

/** What is mounted besides the root. Each place lies in a directory that bubblewrap makes itself. */
export interface SandboxMount {
  readonly source: string;
  readonly destination: string;
  readonly access: 'read' | 'write';
}

/** One run of one command in a sandbox, as plain data. */
export interface SandboxSpec {
  readonly root: RootView;
  /** As whom the command sees itself. */
  readonly uid: number;
  readonly gid: number;
  /** Kept capabilities, such as CAP_DAC_READ_SEARCH; all others are dropped. */
  readonly capabilities: readonly string[];
  readonly mounts: readonly SandboxMount[];
  /** Bound of each of /tmp, /run and /dev/shm. */
  readonly tmpfsBytes: number;
  readonly environment: Readonly<Record<string, string>>;
  /** `keep` only for a person's shell, which needs its terminal. */
  readonly session: 'new' | 'keep';
  /**
   * What runs takes itself for a container: it may listen at ports below 1024, and changing its user or the owner of a file
   * succeeds without effect (`seccompFilter`). The right to those ports is only had in the namespace that the network
   * belongs to, so no further namespace is put between: that nothing makes one itself is left to the filter alone.
   */
  readonly asContainer?: boolean | undefined;
  readonly command: readonly string[];
}

/**
 * Descriptors that bubblewrap is given and closes before it runs the command. It reads the filter with its arguments, before
 * it makes any process or namespace: until that is written it does nothing.
 */
export const INFO_DESCRIPTOR = 3;
export const SECCOMP_DESCRIPTOR = 4;

/**
 * The whole policy of a sandbox as arguments of bubblewrap ≥ 0.8.0. The order matters: bubblewrap mounts from left to
 * right. Its own tmpfs is the root, so that every mount point's parents are directories it made itself: with a foreign
 * tree as root, 0.8.0 follows that tree's links out to the host while it sets up. The command starts in `/`: what enters
 * another directory says so in its own words.
 */
export function bubblewrapArguments(spec: SandboxSpec): string[] {
  return [
    ...['--unshare-all', '--unshare-user', ...(spec.asContainer === true ? [] : ['--disable-userns'])],
    ...['--die-with-parent', '--as-pid-1'],
    ...(spec.session === 'new' ? ['--new-session'] : []),
    ...['--cap-drop', 'ALL'],
    ...(spec.asContainer === true ? ['--cap-add', 'CAP_NET_BIND_SERVICE'] : []),
    ...spec.capabilities.flatMap((capability) => ['--cap-add', capability]),
    ...['--hostname', SANDBOX_HOST_NAME, '--uid', String(spec.uid), '--gid', String(spec.gid)],
    ...environmentArguments(spec.environment),
    ...rootArguments(spec.root),
    ...kernelArguments(spec),
    ...spec.mounts.flatMap(mountArguments),
    ...['--remount-ro', '/', '--chdir', '/'],
    ...['--info-fd', String(INFO_DESCRIPTOR), '--add-seccomp-fd', String(SECCOMP_DESCRIPTOR)],
    ...['--', ...spec.command],
  ];
}

function environmentArguments(environment: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(environment).sort();
  return ['--clearenv', ...names.flatMap((name) => ['--setenv', name, environment[name]!])];
}

function rootArguments({ path, directories, files = [], links }: RootView): string[] {
  return [
    ...[...directories, ...files].flatMap((name) => ['--ro-bind', `${path}/${name}`, `/${name}`]),
    ...links.flatMap(({ name, target }) => ['--symlink', target, `/${name}`]),
  ];
}

/**
 * /proc, /dev and the writable memory file systems; bubblewrap's /dev is a tmpfs that must not stay writable. Nor must /proc:
 * there a program lowers its oom_score_adj and writes to the memory of others of its user.
 */
function kernelArguments({ root, tmpfsBytes, asContainer }: SandboxSpec): string[] {
  const memory = (path: string) => ['--perms', '1777', '--size', String(tmpfsBytes), '--tmpfs', path];
  return [
    ...['--proc', '/proc'],
    ...root.procFiles.flatMap(({ path, source }) => ['--ro-bind', source, path]),
    ...['--remount-ro', '/proc'],
    ...(asContainer === true ? DEVICES : ['--dev', '/dev']),
    ...['--remount-ro', '/dev'],
    ...[...memory('/dev/shm'), ...memory('/tmp'), ...memory('/run')],
  ];
}

/** bubblewrap's own /dev without terminals: for those it makes another namespace where the user is not 0. */
const DEVICES: readonly string[] = [
  ...['--tmpfs', '/dev', '--dir', '/dev/shm'],
  ...['full', 'null', 'random', 'urandom', 'zero'].flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
  ...['--symlink', '/proc/self/fd', '/dev/fd', '--symlink', '/proc/kcore', '/dev/core'],
  ...['stdin', 'stdout', 'stderr'].flatMap((name, index) => ['--symlink', `/proc/self/fd/${index}`, `/dev/${name}`]),
];

function mountArguments({ source, destination, access }: SandboxMount): string[] {
  return [access === 'write' ? '--bind' : '--ro-bind', source, destination];
}
