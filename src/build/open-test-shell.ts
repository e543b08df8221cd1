import type { RunContext } from '../model/config.ts';
import { terminalName } from './open-shell.ts';
import { runSandbox } from './run-sandbox.ts';
import { sandboxSpec } from './run-test.ts';
import { openBench, type TestSetting } from './run-tests.ts';
import { shellCommand } from './test-command.ts';
import type { TestSubject } from './test-root.ts';

/**
 * Opens a shell, on this process's own standard streams, in the sandbox that a package is tested in. The shell is buildit's
 * own, since what is tested may hold none. Answers its exit code.
 */
export async function openTestShell(
  subject: TestSubject,
  setting: TestSetting,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<number> {
  const bench = await openBench(setting, signal, () => undefined);
  const environment = { ...subject.environment, TERM: terminalName() };
  const spec = sandboxSpec(
    subject,
    bench,
    [],
    shellCommand(setting.platform, environment, subject.directory, subject.title),
  );
  const sandbox = runSandbox(
    { ...spec, session: 'keep' },
    {
      bubblewrap: setting.bubblewrap,
      owner: setting.workspace.owner,
      stdin: 'inherit',
      stdout: 'inherit',
      stderr: 'inherit',
    },
  );
  signal.addEventListener('abort', sandbox.kill, { once: true });
  const exit = await sandbox.exit;
  signal.removeEventListener('abort', sandbox.kill);
  return exit.kind === 'exited' ? exit.code : 137;
}
