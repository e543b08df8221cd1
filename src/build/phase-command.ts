import type { BuildLimits } from '../model/build-request.ts';
import type { Platform } from '../model/platform.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import { ANSWER_USAGE } from './ipc-usage.ts';
import { toolBash, withEnvironment } from './sandbox-tools.ts';

/** A command and what it is to find; nothing of it counts before the limits do. */
export interface LimitedCommand {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it starts. */
  readonly directory: string;
  readonly platform: Platform;
  readonly limits: BuildLimits;
  /** The channel on which the sandbox tells what its System V objects hold; none where nobody asks. */
  readonly usageChannel: number | undefined;
}

/** The exit code of a sandbox whose command could not be started in its directory. */
export const NO_DIRECTORY = 125;

/** Runs the script of a phase, which lies below the read-only directory of scripts under the phase's name. */
export function phaseCommand(phase: Omit<LimitedCommand, 'command' | 'directory'>, script: string): string[] {
  const command = ['/usr/bin/bash', '-euo', 'pipefail', `${SANDBOX_PATHS.scripts}/${script}`];
  return limitedCommand({ ...phase, directory: SANDBOX_PATHS.source, command });
}

/**
 * Runs a command under limits that are set inside the sandbox, where the number of processes counts for its own user
 * namespace alone, and values that a program can ask for are the same on every machine. They are set by buildit's own bash
 * before the command's environment counts (BASH_ENV, ENV, LD_PRELOAD) and before any program of the root runs. The first
 * process stays the shell that set them: what ends bash on a signal must not be ignored as it would be by the first process
 * of a namespace.
 */
export function limitedCommand({
  command,
  environment,
  directory,
  platform,
  limits,
  usageChannel,
}: LimitedCommand): string[] {
  const script = [
    limitLines(limits),
    ...(usageChannel === undefined ? [] : usageLines(usageChannel)),
    enterLine(directory),
    '"$@"',
    'exit "$?"',
  ].join('\n');
  return [...toolBash(platform, script), ...withEnvironment(platform, environment, command)];
}

/** Says first that the sandbox was made. A process of its own answers on a channel from then on, so that the first one can wait for the command; without other channels. */
export function usageLines(channel: number, others: readonly number[] = []): string[] {
  const loop = `while read -r -u ${channel} _; do answer_usage ${channel}; done`;
  const closed = others.map((other) => ` ${other}>&-`).join('');
  return [
    ANSWER_USAGE,
    `echo 0 >&${channel}`,
    `{ ${loop}; } </dev/null >/dev/null 2>&1${closed} &`,
    `exec ${channel}>&-`,
  ];
}

/** Enters a directory, or says why nothing runs. */
export function enterLine(directory: string): string {
  const place = `'${directory.replaceAll("'", "'\\''")}'`;
  const refusal = `echo "buildit: cannot enter the working directory" ${place} >&2`;
  return `cd -P -- ${place} 2>/dev/null || { ${refusal}; exit ${NO_DIRECTORY}; }`;
}

/** Lines for bash that set the limits of a sandbox for it and what it starts. */
export function limitLines({ processes, diskBytes }: BuildLimits): string {
  const lines = [
    'umask 022',
    'ulimit -c 0',
    'ulimit -S -s 8192',
    'ulimit -S -n 1024',
    'ulimit -H -n 4096',
    // Signals in queues and POSIX message queues are memory of the kernel; no build gets to run before others.
    'ulimit -i 4096',
    'ulimit -q 819200',
    'ulimit -e 0',
    'ulimit -r 0',
    `ulimit -u ${processes}`,
    `ulimit -f ${Math.max(1, Math.floor(diskBytes / 1024))}`,
  ];
  return ['{', ...lines, '} 2>/dev/null'].join('\n');
}
