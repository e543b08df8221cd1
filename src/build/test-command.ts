import type { BuildLimits } from '../model/build-request.ts';
import type { Platform } from '../model/platform.ts';
import { limitLines } from './phase-command.ts';
import { FIRST_CHANNEL } from './run-sandbox.ts';
import { commandInTree } from './sandbox-program.ts';

/**
 * Where a sandbox that is tested has buildit's own bash and coreutils, which are run through their own loader: what is
 * tried may hold neither a shell nor a C library. No PATH leads there.
 */
export const TEST_TOOLS = '/.buildit';

/** How many connections may be made for one test, each over a channel of its own; the first channel is for orders. */
export const CONNECTIONS = 4;

export interface TestCommand {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly platform: Platform;
  readonly limits: BuildLimits;
}

/** Runs a command with its environment under the limits, and ends when it ends. */
export function ranCommand({ command, environment, platform, limits }: TestCommand): string[] {
  const script = [limitLines(limits), '"$@"', 'exit "$?"'].join('\n');
  return [...bashCommand(platform, script), ...withEnvironment(platform, environment, command)];
}

/**
 * Starts a command and takes orders on the first channel, a line each: `CHANNEL HOST PORT` connects a channel to a server of
 * the sandbox. The answer is `open`, after which the channel is the connection; `refused`; or `ended N` where the command
 * ended and nothing can listen any more: with a failure, or well and without a process left behind. bash itself opens the
 * connections: it is in the network that nobody outside can enter without rights.
 */
export function startedCommand({ command, environment, platform, limits }: TestCommand): string[] {
  const cat = toolCommand(platform, 'cat').map(quoted).join(' ');
  const channels = Array.from({ length: CONNECTIONS + 1 }, (_, index) => FIRST_CHANNEL + index);
  const orders = FIRST_CHANNEL;
  const script = [
    limitLines(limits),
    `"$@" <&0 ${channels.map((channel) => `${channel}>&-`).join(' ')} &`,
    'program=$!',
    `while read -r -u ${orders} channel host port; do`,
    '  if ! kill -0 "$program" 2>/dev/null; then',
    '    wait "$program"',
    '    status=$?',
    // With this shell as the sandbox's init, a process besides it is one that the command left behind.
    '    running=(/proc/[0-9]*)',
    `    if ((status != 0 || \${#running[@]} == 1)); then echo "ended $status" >&${orders}; exit "$status"; fi`,
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
  return [...bashCommand(platform, script), ...withEnvironment(platform, environment, command)];
}

/** A shell for a person in what is tested. */
export function shellCommand(
  platform: Platform,
  environment: Readonly<Record<string, string>>,
  title: string,
): string[] {
  const shell = [...toolCommand(platform, 'bash'), '--norc'];
  return withEnvironment(platform, { ...environment, PS1: `[${title}] \\w \\$ ` }, shell);
}

/** An absolute path of the loader ends in no surprise, whatever LD_LIBRARY_PATH says. */
function toolCommand(platform: Platform, name: string): string[] {
  return [...commandInTree(TEST_TOOLS, `usr/bin/${name}`, platform)];
}

function bashCommand(platform: Platform, script: string): string[] {
  return [...toolCommand(platform, 'bash'), '--norc', '--noprofile', '-c', script, 'buildit'];
}

/** `env` looks a program without a slash up in the PATH that it sets. */
function withEnvironment(
  platform: Platform,
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [...toolCommand(platform, 'env'), '-i', '--', ...variables, ...command];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
