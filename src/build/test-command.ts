import type { Platform } from '../model/platform.ts';
import { enterLine, type LimitedCommand, limitedCommand, limitLines, usageLines } from './phase-command.ts';
import { FIRST_CHANNEL } from './run-sandbox.ts';
import { toolBash, toolCommand, withEnvironment } from './sandbox-tools.ts';

/** How many connections may be made for one test, each over a channel of its own; the first channel is for orders. */
export const CONNECTIONS = 4;

/** The channel for orders comes first, those for connections next; the last one is for the question of what it uses. */
export const STARTED_CHANNELS = CONNECTIONS + 2;

export type TestCommand = Omit<LimitedCommand, 'usageChannel'>;

/** Runs a command with its environment under the limits, and ends when it ends. */
export function ranCommand(command: TestCommand): string[] {
  return limitedCommand({ ...command, usageChannel: FIRST_CHANNEL });
}

/**
 * Starts a command and takes orders on the first channel, a line each: `CHANNEL HOST PORT` connects a channel to a server of
 * the sandbox. The answer is `open`, after which the channel is the connection; `refused`; or `ended N` where the command
 * ended and nothing can listen any more: with a failure, or well and without a process left behind. bash itself opens the
 * connections: it is in the network that nobody outside can enter without rights.
 */
export function startedCommand({ command, environment, directory, platform, limits }: TestCommand): string[] {
  const cat = toolCommand(platform, 'cat').map(quoted).join(' ');
  const channels = Array.from({ length: STARTED_CHANNELS }, (_, index) => FIRST_CHANNEL + index);
  const orders = FIRST_CHANNEL;
  const usage = channels.at(-1)!;
  const script = [
    limitLines(limits),
    ...usageLines(
      usage,
      channels.filter((channel) => channel !== usage),
    ),
    enterLine(directory),
    `"$@" <&0 ${channels.map((channel) => `${channel}>&-`).join(' ')} &`,
    'program=$!',
    `while read -r -u ${orders} channel host port; do`,
    '  if ! kill -0 "$program" 2>/dev/null; then',
    '    wait "$program"',
    '    status=$?',
    // A process besides this shell and the one that answers for usage is one that the command left behind.
    '    running=(/proc/[0-9]*)',
    `    if ((status != 0 || \${#running[@]} <= 2)); then echo "ended $status" >&${orders}; exit "$status"; fi`,
    '  fi',
    '  if { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null; then',
    `    { ${cat} <&"$channel" >&3 & sender=$!; ${cat} <&3 >&"$channel"; kill "$sender"; } 2>/dev/null ${orders}>&- &`,
    '    exec 3>&- {channel}>&-',
    `    echo open >&${orders}`,
    '  else',
    `    echo refused >&${orders}`,
    '  fi',
    'done',
  ].join('\n');
  return [...toolBash(platform, script), ...withEnvironment(platform, environment, command)];
}

/** A shell for a person in what is tested. */
export function shellCommand(
  platform: Platform,
  environment: Readonly<Record<string, string>>,
  directory: string,
  title: string,
): string[] {
  const shell = [...toolCommand(platform, 'bash'), '--norc'];
  return [
    ...toolBash(platform, `${enterLine(directory)}\nexec "$@"`),
    ...withEnvironment(platform, { ...environment, PS1: `[${title}] \\w \\$ ` }, shell),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
