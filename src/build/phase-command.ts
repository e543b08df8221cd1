import type { BuildLimits } from '../model/build-request.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';

/** A command that runs another one, given as its arguments, under a build's limits. */
export function limitedCommand(limits: BuildLimits, command: readonly string[]): string[] {
  return ['/usr/bin/bash', '-c', limitsScript(limits), 'buildit', ...command];
}

/** Runs the script of a phase, which lies below the read-only directory of scripts under the phase's name. */
export function phaseCommand(limits: BuildLimits, script: string): string[] {
  return limitedCommand(limits, ['/usr/bin/bash', '-euo', 'pipefail', `${SANDBOX_PATHS.scripts}/${script}`]);
}

/**
 * Sets limits inside the sandbox, where the number of processes counts for its own user namespace alone, and values that
 * a program can ask for are the same on every machine. The first process stays the shell that set them: what ends
 * bash on a signal must not be ignored as it would be by the first process of a namespace.
 */
function limitsScript(limits: BuildLimits): string {
  return [limitLines(limits), '"$@"', 'exit "$?"'].join('\n');
}

/** Lines for bash that set the limits of a sandbox for it and what it starts. */
export function limitLines({ processes, diskBytes }: BuildLimits): string {
  const lines = [
    'umask 022',
    // Where memory runs out, the kernel ends a build before anything else.
    'echo 1000 >/proc/self/oom_score_adj',
    'ulimit -c 0',
    'ulimit -S -s 8192',
    'ulimit -S -n 1024',
    'ulimit -H -n 4096',
    `ulimit -u ${processes}`,
    `ulimit -f ${Math.max(1, Math.floor(diskBytes / 1024))}`,
  ];
  return ['{', ...lines, '} 2>/dev/null'].join('\n');
}
