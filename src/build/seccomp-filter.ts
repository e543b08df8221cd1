import {
  AUDIT_ARCHITECTURES,
  type FilterArchitecture,
  type SystemCall,
  systemCallNumber,
} from './system-call-numbers.ts';

/** One instruction of classic BPF: struct sock_filter of linux/filter.h. */
export interface FilterInstruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

/** The call is not made, and answers 0. */
const NO_ERROR = 0;
const EPERM = 1;
const ENOSYS = 38;
const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;

/** Refused with EPERM, whatever the arguments. */
const FORBIDDEN: readonly SystemCall[] = [
  // What is kept in keyrings is the caller's, not the namespace's.
  ...(['add_key', 'keyctl', 'request_key'] as const),
  // Other processes' memory and descriptors.
  ...(['kcmp', 'pidfd_getfd', 'process_madvise', 'process_vm_readv', 'process_vm_writev', 'ptrace'] as const),
  // Large parts of the kernel that no build needs.
  ...(['bpf', 'fanotify_init', 'fanotify_mark', 'perf_event_open', 'userfaultfd'] as const),
  ...(['io_uring_enter', 'io_uring_register', 'io_uring_setup', 'lookup_dcookie', 'modify_ldt'] as const),
  // Mounts, roots and namespaces.
  ...(['chroot', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'mount', 'mount_setattr', 'move_mount'] as const),
  ...(['open_by_handle_at', 'open_tree', 'open_tree_attr', 'pivot_root', 'setns', 'umount2'] as const),
  // The machine itself.
  ...(['acct', 'adjtimex', 'clock_adjtime', 'clock_settime', 'create_module', 'delete_module'] as const),
  ...(['finit_module', 'init_module', 'ioperm', 'iopl', 'kexec_file_load', 'kexec_load', 'nfsservctl'] as const),
  ...(['quotactl', 'quotactl_fd', 'reboot', 'setdomainname', 'sethostname', 'settimeofday', 'swapoff'] as const),
  ...(['swapon', 'syslog', 'uselib', 'vhangup'] as const),
];

/**
 * Said not to exist, so that callers fall back: clone3 because its flags lie in memory a filter cannot read (glibc then
 * uses clone); files in memory that no process need map because no watchdog can count them.
 */
const ABSENT: readonly SystemCall[] = ['clone3', 'memfd_create', 'memfd_secret'];

/**
 * Said to have worked, where what runs takes itself for a container: there is but one user to be and to own anything, so
 * that a server that gives up being root would end, and everything else about it would stay untried.
 */
const PRETENDED: readonly SystemCall[] = [
  ...(['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'setfsuid', 'setfsgid'] as const),
  ...(['setgroups', 'capset', 'chown', 'fchown', 'lchown', 'fchownat'] as const),
];

export interface FilterOptions {
  /** See `SandboxSpec`. */
  readonly asContainer?: boolean | undefined;
}

/** CLONE_NEW* of linux/sched.h: NS, CGROUP, UTS, IPC, USER, PID, NET. */
const NEW_NAMESPACES = 0x7e020000;
/** Of `unshare` alone; in `clone` that bit belongs to the exit signal. */
const CLONE_NEWTIME = 0x80;

/**
 * FALLOC_FL_PUNCH_HOLE and FALLOC_FL_COLLAPSE_RANGE, which give room back. Without either, `fallocate` takes a hundred
 * gigabytes before anybody can look: it is refused as on a file system that has no such thing, where callers write instead
 * (posix_fallocate(3)).
 */
const FREEING = 0x0a;

/** Types into the caller's terminal: TIOCSTI, and TIOCLINUX, which pastes. */
const TERMINAL_INJECTION = [0x5412, 0x541c];

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. AF_VSOCK and others are not bound to the network namespace. */
const SOCKET_FAMILIES = [1, 2, 10, 16];

/** PER_LINUX, PER_LINUX32, ADDR_NO_RANDOMIZE with either, UNAME26, and the question which it is. */
const PERSONALITIES = [0x0, 0x8, 0x40000, 0x40008, 0x20000, 0xffffffff];

/** The bytes that `bwrap --seccomp` reads: the filter for a machine as an array of struct sock_filter. */
export function seccompFilter(architecture: FilterArchitecture, options: FilterOptions = {}): Buffer {
  const instructions = filterInstructions(architecture, options);
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, { code, jumpTrue, jumpFalse, k }] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}

/** What is not refused is allowed. Another machine's calls (i386 on x86_64) end the process. */
export function filterInstructions(
  architecture: FilterArchitecture,
  { asContainer = false }: FilterOptions = {},
): FilterInstruction[] {
  const on = (call: SystemCall, ...body: FilterInstruction[]) => {
    const number = systemCallNumber(call, architecture);
    return number === undefined ? [] : [skipUnless(number, body.length), ...body];
  };
  return [
    load(ARCHITECTURE),
    skipIf(AUDIT_ARCHITECTURES[architecture], 1),
    answer(KILL_PROCESS),
    load(CALL_NUMBER),
    ...(architecture === 'x64' ? [skipBelow(X32_CALLS, 1), refuse(ENOSYS)] : []),
    ...FORBIDDEN.flatMap((call) => on(call, refuse(EPERM))),
    ...ABSENT.flatMap((call) => on(call, refuse(ENOSYS))),
    ...(asContainer ? PRETENDED : []).flatMap((call) => on(call, refuse(NO_ERROR))),
    ...on('clone', load(argument(0)), skipUnlessAny(NEW_NAMESPACES, 1), refuse(EPERM), answer(ALLOW)),
    ...on('unshare', load(argument(0)), skipUnlessAny(NEW_NAMESPACES | CLONE_NEWTIME, 1), refuse(EPERM), answer(ALLOW)),
    ...on('fallocate', load(argument(1)), skipUnlessAny(FREEING, 1), answer(ALLOW), refuse(EOPNOTSUPP)),
    ...on('ioctl', load(argument(1)), ...none(TERMINAL_INJECTION, EPERM)),
    ...on('socket', load(argument(0)), ...only(SOCKET_FAMILIES, EAFNOSUPPORT)),
    ...on('socketpair', load(argument(0)), ...only(SOCKET_FAMILIES, EAFNOSUPPORT)),
    ...on('personality', load(argument(0)), ...only(PERSONALITIES, EPERM)),
    answer(ALLOW),
  ];
}

function none(values: readonly number[], error: number): FilterInstruction[] {
  return [...values.flatMap((value) => [skipUnless(value, 1), refuse(error)]), answer(ALLOW)];
}

function only(values: readonly number[], error: number): FilterInstruction[] {
  return [...values.flatMap((value) => [skipUnless(value, 1), answer(ALLOW)]), refuse(error)];
}

/** Offsets in struct seccomp_data; of the arguments the low 32 bits, both machines being little-endian. */
const CALL_NUMBER = 0;
const ARCHITECTURE = 4;

function argument(index: number): number {
  return 16 + index * 8;
}

/** SECCOMP_RET_* of linux/seccomp.h. */
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const RETURN_ERROR = 0x00050000;

/** Numbers from here on are the x32 interface (__X32_SYSCALL_BIT): the same calls by other numbers. */
const X32_CALLS = 0x40000000;

function load(offset: number): FilterInstruction {
  return { code: 0x20, jumpTrue: 0, jumpFalse: 0, k: offset };
}

function skipIf(value: number, count: number): FilterInstruction {
  return { code: 0x15, jumpTrue: count, jumpFalse: 0, k: value };
}

function skipUnless(value: number, count: number): FilterInstruction {
  return { code: 0x15, jumpTrue: 0, jumpFalse: count, k: value };
}

function skipBelow(value: number, count: number): FilterInstruction {
  return { code: 0x35, jumpTrue: 0, jumpFalse: count, k: value };
}

function skipUnlessAny(bits: number, count: number): FilterInstruction {
  return { code: 0x45, jumpTrue: 0, jumpFalse: count, k: bits >>> 0 };
}

function answer(value: number): FilterInstruction {
  return { code: 0x06, jumpTrue: 0, jumpFalse: 0, k: value };
}

function refuse(error: number): FilterInstruction {
  return answer(RETURN_ERROR | error);
}
