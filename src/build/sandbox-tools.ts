import { join } from 'node:path';
import type { Platform } from '../model/platform.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import type { RootView, SandboxMount } from './bubblewrap-arguments.ts';
import { commandInTree } from './sandbox-program.ts';

/**
 * buildit's own bash and coreutils in a sandbox, which are run through their own loader: what is built or tried may hold
 * neither a shell nor a C library, or ones that are not to be trusted with setting limits.
 */
export function toolsMount(tools: RootView): SandboxMount {
  return { source: join(tools.path, 'usr'), destination: `${SANDBOX_PATHS.tools}/usr`, access: 'read' };
}

/** What such a bash sees. HOME and SHELL keep it from looking its user up, with libraries that /etc/nsswitch.conf names. */
export const TOOLS_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/',
  LC_ALL: 'C',
  PATH: '/nowhere',
  SHELL: '/nowhere',
};

/** An absolute path of the loader ends in no surprise, whatever LD_LIBRARY_PATH says. */
export function toolCommand(platform: Platform, name: string): string[] {
  return [...commandInTree(SANDBOX_PATHS.tools, `usr/bin/${name}`, platform)];
}

/** bash that reads no file before the script. */
export function toolBash(platform: Platform, script: string): string[] {
  return [...toolCommand(platform, 'bash'), '--norc', '--noprofile', '-c', script, 'buildit'];
}

/**
 * Only the command sees the environment, and it gets back the signals that bash takes from what it starts in the background.
 * `env` looks a program without a slash up in the PATH that it sets.
 */
export function withEnvironment(
  platform: Platform,
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [...toolCommand(platform, 'env'), '-i', '--default-signal=INT,QUIT', '--', ...variables, ...command];
}
