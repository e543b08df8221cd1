import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { findProgram } from '../system/programs.ts';
import type { RootView, SandboxSpec } from './bubblewrap-arguments.ts';
import { type RunningSandbox, runSandbox, type SandboxOwner } from './run-sandbox.ts';

export interface TriedSandbox {
  readonly isStarted: boolean;
  /** What bubblewrap wrote. */
  readonly output: string;
}

/** Directories that programs and their libraries lie in; the last two are those of NixOS and Guix. */
const PROGRAM_DIRECTORIES = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'gnu'];
const LONGEST_OUTPUT = 4096;
const PATIENCE_MS = 10_000;

/**
 * Starts the sandboxes of a build and of a test with this machine's own files as their root, and `true` in them: the same
 * arguments, the same filter of system calls, the same user. The first that does not start is the answer.
 */
export async function trySandbox(
  bubblewrap: readonly string[],
  owner: SandboxOwner | undefined,
): Promise<TriedSandbox> {
  const build = await tryOnce(probeSpec({ asContainer: false }), bubblewrap, owner);
  return build.isStarted ? tryOnce(probeSpec({ asContainer: true }), bubblewrap, owner) : build;
}

export function probeSpec({ asContainer }: { readonly asContainer: boolean }): SandboxSpec {
  const program = findProgram('true') ?? '/usr/bin/true';
  return {
    root: hostView(),
    ...{ uid: 1000, gid: 1000, capabilities: [], mounts: [], tmpfsBytes: 1 << 20, environment: {} },
    ...{ directory: '/', session: 'new', asContainer },
    command: [realpathSync(program)],
  };
}

function hostView(): RootView {
  const directories: string[] = [];
  const links: { readonly name: string; readonly target: string }[] = [];
  for (const name of PROGRAM_DIRECTORIES) {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) directories.push(name);
    else if (found?.isSymbolicLink() === true) links.push({ name, target: readlinkSync(`/${name}`) });
  }
  return { path: '', directories, links, procFiles: [] };
}

async function tryOnce(
  spec: SandboxSpec,
  bubblewrap: readonly string[],
  owner: SandboxOwner | undefined,
): Promise<TriedSandbox> {
  let sandbox: RunningSandbox;
  try {
    sandbox = runSandbox(spec, { bubblewrap, owner, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  } catch (error) {
    return { isStarted: false, output: (error as Error).message };
  }
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(0, LONGEST_OUTPUT);
  };
  sandbox.stdout?.on('data', keep);
  sandbox.stderr?.on('data', keep);
  const timer = setTimeout(() => sandbox.kill(), PATIENCE_MS);
  try {
    const exit = await sandbox.exit;
    const isStarted = exit.kind === 'exited' && exit.code === 0;
    return { isStarted, output: output.trim() || (isStarted ? '' : 'no word of bubblewrap') };
  } catch (error) {
    return { isStarted: false, output: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
