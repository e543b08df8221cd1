import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { requires } from '../support/requires.ts';
import { installation } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { test } = requires('perl');
const buildit = [process.execPath, join(installation, 'bin/buildit.js')] as const;

function run(argv: readonly string[], stdio: Record<'out' | 'err', number | 'pipe'>) {
  const env = { PATH: process.env.PATH, HOME: temporaryDirectory(), BUILDIT_STORE: temporaryDirectory() };
  const { status, stderr } = spawnSync(buildit[0], [buildit[1], ...argv], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', stdio.out, stdio.err],
  });
  return { status, stderr };
}

const full = () => openSync('/dev/full', 'w');
const LINE = 'error: Cannot write "standard output": no space left on the device\n';

test.each([[['--help']], [['schema', 'container']], [['config', 'show', '.', '--json']], [['--version']]])(
  'a full disk behind standard output is one line and an exit code: %j',
  (argv) => {
    expect(run(argv, { out: full(), err: 'pipe' })).toEqual({ status: 73, stderr: LINE });
  },
);

requires('root', 'mount').test('a disk that fills in the middle of a text is no success', () => {
  const directory = temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'buildit-test', directory]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory]);
  });
  const out = openSync(join(directory, 'out'), 'w');
  expect(run(['schema', 'container'], { out, err: 'pipe' })).toEqual({ status: 73, stderr: LINE });
});

test('a full disk behind standard error leaves the exit code of the run', () => {
  expect(run(['nonsense'], { out: 'pipe', err: full() }).status).toBe(64);
  expect(run(['--help'], { out: full(), err: full() }).status).toBe(73);
});

/** Runs a command on a terminal that closes a moment after the first line: TIOCSPTLCK, TIOCGPTN and TIOCSCTTY of Linux. */
const HANG_UP = `
use strict; use POSIX ();
my @command = @ARGV;
open(my $master, '+<', '/dev/ptmx') or die "ptmx: $!";
my $unlock = pack('i', 0); ioctl($master, 0x40045431, $unlock) or die "unlock: $!";
my $number = pack('i', 0); ioctl($master, 0x80045430, $number) or die "number: $!";
my $name = '/dev/pts/' . unpack('i', $number);
my $child = fork;
if ($child == 0) {
  close $master; POSIX::setsid();
  for my $descriptor (0, 1, 2) { POSIX::close($descriptor); POSIX::open($name, POSIX::O_RDWR()) }
  ioctl(STDIN, 0x540E, 0);
  exec @command;
}
sysread($master, my $line, 100);
select(undef, undef, undef, 0.2);
close $master;
waitpid($child, 0);
print(($? & 127) == 0 ? 'exit ' . ($? >> 8) : 'signal ' . ($? & 127));
`;

test('a terminal that closes ends a server as a signal does, not with a crash', async () => {
  const directory = temporaryDirectory();
  const child = spawn('perl', ['-e', HANG_UP, ...buildit, 'binhost', 'serve', directory, '--port', '0'], {
    env: { PATH: process.env.PATH, HOME: temporaryDirectory(), BUILDIT_STORE: temporaryDirectory() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  expect(said).toBe('exit 0');
});
