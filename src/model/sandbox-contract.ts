import { ALTERNATIVES } from './alternatives.ts';
import { type Digest, digestOfJson } from './digest.ts';

/**
 * Version of what a build sees and of what is done with its output: paths, identities, limits that a program can
 * observe, seccomp, packing, the tar writer. It enters every HASH. Never the version of bubblewrap.
 */
export const SANDBOX_CONTRACT_VERSION = 2;

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
  /** buildit's own bash and coreutils, run through their own loader; no PATH leads there. */
  tools: '/.buildit',
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
 * Files that no build root has, whichever package brings them: the loader of glibc reads this one before any program starts,
 * those included that set the limits of a sandbox.
 */
export const ROOT_OMITTED: readonly string[] = ['etc/ld.so.preload'];

/**
 * Files of every root, in place of what maintainer scripts would have made: passwd and group as Debian's base-passwd has
 * them, and who builds. Configure scripts read them (nginx compiles in `nogroup` or `nobody` depending on them), and
 * Debian's own rules give files to www-data.
 */
export const ROOT_FILES: Readonly<Record<string, string>> = {
  'etc/group': `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mail:x:8:
news:x:9:
uucp:x:10:
man:x:12:
proxy:x:13:
kmem:x:15:
dialout:x:20:
fax:x:21:
voice:x:22:
cdrom:x:24:
floppy:x:25:
tape:x:26:
sudo:x:27:
audio:x:29:
dip:x:30:
www-data:x:33:
backup:x:34:
operator:x:37:
list:x:38:
irc:x:39:
src:x:40:
shadow:x:42:
utmp:x:43:
video:x:44:
sasl:x:45:
plugdev:x:46:
staff:x:50:
games:x:60:
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
sync:x:4:65534:sync:/bin:/bin/sync
games:x:5:60:games:/usr/games:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
news:x:9:9:news:/var/spool/news:/usr/sbin/nologin
uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
proxy:x:13:13:proxy:/bin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin
irc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin
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
    omitted: ROOT_OMITTED,
    proc: PROC_FILES,
    topLinks: ROOT_TOP_LINKS,
  });
}
