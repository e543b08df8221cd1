import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SystemCall, systemCallNumber } from '../../src/build/system-call-numbers.ts';

/** What a probe found out inside a sandbox. */
export interface ProbeReport {
  readonly status: Readonly<Record<string, string>>;
  readonly ids: string;
  readonly hostName: string;
  readonly umask: string;
  readonly processes: readonly string[];
  readonly descriptors: readonly string[];
  readonly interfaces: readonly string[];
  /** Everything but links, /proc left out, that may be written to. */
  readonly writable: readonly string[];
  readonly environmentOfInit: readonly string[];
  /** oom_score_adj as it is found, and after an attempt to lower it. */
  readonly sacrifice: readonly string[];
  /** Files of /proc that could be opened for writing. */
  readonly writableProcFiles: readonly string[];
  readonly top: readonly string[];
  readonly cpuinfo: string;
  /** Errno of calls, by name. */
  readonly calls: Readonly<Record<string, number>>;
  readonly connections: Readonly<Record<string, number>>;
}

/** Calls that a process without rights could make outside, and their first arguments. */
const PROBED: readonly [SystemCall, ...number[]][] = [
  ['keyctl', 0, -3, 0],
  ['ptrace', 0],
  ['unshare', 0x10000000],
  ['unshare', 0x40000000],
  ['clone3', 0],
  ['memfd_create', 0],
  ['userfaultfd', 0],
  ['io_uring_setup', 1],
  ['perf_event_open', 0],
  ['socket', 40, 1, 0],
  ['socket', 38, 5, 0],
  ['socket', 17, 3, 0],
  ['ioctl', 0, 0x5412],
  ['chroot', 0],
  ['personality', 0x0400000],
];

export function probedName([call, first = 0]: readonly [SystemCall, ...number[]]): string {
  return `${call}(${first})`;
}

/** A script that prints what it finds as JSON. `port` and `abstract` are places where something outside listens. */
export function probeScript({ port, abstract }: { readonly port: number; readonly abstract: string }): string {
  const calls = PROBED.map((probed) => {
    const [call, ...args] = probed;
    const numbers = [systemCallNumber(call, process.arch === 'arm64' ? 'arm64' : 'x64'), ...args].join(', ');
    return `{ $! = 0; my $r = syscall(${numbers}); $call{'${probedName(probed)}'} = $r == -1 ? 0 + $! : 0; }`;
  });
  return `perl - >"$DESTDIR/report.json" <<'PERL'
my %call;
${calls.join('\n')}
sub slurp { my $file = shift; open(my $f, '<', $file) or return ''; local $/; my $t = <$f>; return $t; }
sub quote { my $t = shift; $t =~ s/([\\\\"])/\\\\$1/g; $t =~ s/([\\x00-\\x1f])/sprintf('\\\\u%04x', ord $1)/ge; return '"' . $t . '"'; }
sub list { return '[' . join(',', map { quote($_) } @_) . ']'; }
sub object { my %o = @_; return '{' . join(',', map { quote($_) . ':' . $o{$_} } sort keys %o) . '}'; }
opendir(my $d, '/proc/self/fd'); my @fd = grep { /^\\d/ } readdir $d;
my @descriptors = map { "$_ " . readlink("/proc/self/fd/$_") } grep { $_ != fileno($d) } sort @fd; closedir $d;
opendir($d, '/proc'); my @pids = grep { /^\\d+$/ } readdir $d; closedir $d;
my @processes = map { my $c = slurp("/proc/$_/cmdline"); $c =~ s/\\0/ /g; "$_ $c" } @pids;
my %status = map { /^(\\w+):\\s*(.*?)\\s*$/ ? ($1 => quote($2)) : () } split /\\n/, slurp('/proc/self/status');
my @interfaces = map { /^\\s*(\\S+):/ ? $1 : () } split /\\n/, slurp('/proc/net/dev');
my @search = ('/', '-path', '/proc', '-prune', '-o', '!', '-type', 'l', '-writable', '-print');
open(my $find, '-|', 'find', @search); my @writable = map { chomp; $_ } <$find>;
my @sacrifice = slurp('/proc/self/oom_score_adj');
if (open(my $f, '>', '/proc/self/oom_score_adj')) { print $f "0\\n"; close $f; }
push @sacrifice, slurp('/proc/self/oom_score_adj'); chomp @sacrifice;
my @tried = map { my $p = $_; map { "/proc/$p/$_" } qw(oom_score_adj mem comm clear_refs coredump_filter uid_map) } 1, $$;
my @proc = grep { open(my $f, '+<', $_) } @tried, '/proc/sys/kernel/shmmax';
my %connection;
my $name = '${abstract}';
for my $size (108, length($name) + 1) {
  socket(my $s, 1, 1, 0); $! = 0;
  connect($s, pack('S', 1) . substr("\\0$name" . ("\\0" x 108), 0, $size)); $connection{"abstract$size"} = 0 + $!;
}
{ socket(my $s, 2, 1, 0); $! = 0; connect($s, pack('S n C4 x8', 2, ${port}, 127, 0, 0, 1)); $connection{inet} = 0 + $!; }
opendir($d, '/'); my @top = grep { !/^\\.\\.?$/ } readdir $d; closedir $d;
my $ids = "$< $> $( $)"; my $host = \`hostname\`; chomp $host;
print object(
  status => object(%status), ids => quote($ids), hostName => quote($host), umask => quote(sprintf '%03o', umask),
  processes => list(@processes), descriptors => list(@descriptors), interfaces => list(@interfaces),
  writable => list(@writable), environmentOfInit => list(split /\\0/, slurp('/proc/1/environ')), top => list(sort @top),
  sacrifice => list(@sacrifice), writableProcFiles => list(@proc),
  cpuinfo => quote(slurp('/proc/cpuinfo')), calls => object(%call), connections => object(%connection),
);
PERL
`;
}

/** Writes a probe for a program that runs it as another user. */
export function writeProbe(directory: string, script: string): string {
  const path = join(directory, 'probe.sh');
  writeFileSync(path, script, { mode: 0o644 });
  return path;
}
