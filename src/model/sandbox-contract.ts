import { ALTERNATIVES } from './alternatives.ts';
import { type Digest, digestOfJson } from './digest.ts';

/**
 * Version of what a build sees and of what is done with its output: paths, identities, limits that a program can
 * observe, seccomp, packing, the tar writer. It enters every HASH. Never the version of bubblewrap.
 */
export const SANDBOX_CONTRACT_VERSION = 1;

/** Who a build is inside its sandbox. */
export const SANDBOX_UID = 1000;
export const SANDBOX_GID = 1000;
export const SANDBOX_HOST_NAME = 'localhost';

/** Where a build finds its workspace, its output, the recipe's files and the scripts of its phases. */
export const SANDBOX_PATHS = {
  work: '/build',
  source: '/build/src',
  home: '/build/home',
  files: '/build/files',
  output: '/out',
  scripts: '/run/buildit',
} as const;

/** The environment of every phase; the recipe's own variables come on top. */
export const SANDBOX_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: SANDBOX_PATHS.home,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  LOGNAME: 'build',
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  TERM: 'dumb',
  TZ: 'UTC',
  USER: 'build',
};

/** The source date of a package that has no archive with times in it, and the earliest there is: 1980, as in zip. */
export const EARLIEST_SOURCE_DATE = 315_532_800;

/** Top-level links of a merged /usr; the only ones a root may have. */
export const ROOT_TOP_LINKS: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  lib: 'usr/lib',
  lib32: 'usr/lib32',
  lib64: 'usr/lib64',
  libx32: 'usr/libx32',
  sbin: 'usr/sbin',
};

/** Top-level directories of a root that the sandbox makes itself. */
export const ROOT_MOUNT_POINTS: readonly string[] = ['build', 'dev', 'out', 'proc', 'run', 'sys', 'tmp'];

/**
 * Files of every root, in place of what maintainer scripts would have made. Configure scripts read passwd and group:
 * nginx compiles in `nogroup` or `nobody` depending on them.
 */
export const ROOT_FILES: Readonly<Record<string, string>> = {
  'etc/group': `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
man:x:12:
shadow:x:42:
utmp:x:43:
staff:x:50:
users:x:100:
build:x:1000:
nogroup:x:65534:
`,
  'etc/hosts': `127.0.0.1 localhost
::1 localhost
`,
  'etc/nsswitch.conf': `passwd: files
group: files
shadow: files
hosts: files
networks: files
protocols: files
services: files
`,
  'etc/passwd': `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
build:x:1000:1000:build:/build/home:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`,
};

/**
 * Files under /proc that would tell one machine from another, and what is seen instead. Each is covered only where the
 * kernel has it.
 */
export const PROC_FILES: Readonly<Record<string, string>> = {
  'proc/cmdline': '\n',
  'proc/cpuinfo': `processor\t: 0
vendor_id\t: buildit
model name\t: a processor

`,
  'proc/key-users': '',
  'proc/keys': '',
  'proc/sys/kernel/random/boot_id': '00000000-0000-4000-8000-000000000000\n',
};

/** Digest of everything the sandbox generates into a root; enters every HASH. */
export function generatedFilesDigest(): Digest {
  return digestOfJson({
    environment: SANDBOX_ENVIRONMENT,
    files: ROOT_FILES,
    links: ALTERNATIVES,
    proc: PROC_FILES,
    topLinks: ROOT_TOP_LINKS,
  });
}
