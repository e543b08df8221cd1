import type { CliContext } from './cli-context.ts';

/** How to ask for a passphrase; undefined where standard input or standard error is no terminal. */
export function passphraseQuestion(
  cli: Pick<CliContext, 'stderr'>,
): ((question: string) => Promise<string | undefined>) | undefined {
  if (process.stdin.isTTY !== true || !cli.stderr.isTerminal) return undefined;
  return (question) => askHidden(cli, question);
}

/** Reads one line without showing it; undefined where the user ends it with Ctrl-D or Ctrl-C. */
function askHidden({ stderr }: Pick<CliContext, 'stderr'>, question: string): Promise<string | undefined> {
  const { stdin } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').resume();
  return new Promise((resolve) => {
    let typed: readonly string[] = [];
    const finish = (answer: string | undefined) => {
      stdin.off('data', onData).off('end', onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      resolve(answer);
    };
    const onEnd = () => finish(undefined);
    const onData = (text: string) => {
      for (const character of text) {
        if (character === '\r' || character === '\n') return finish(typed.join(''));
        if (character === '\u0004') return finish(undefined);
        if (character === '\u0003') {
          finish(undefined);
          process.kill(process.pid, 'SIGINT');
          return;
        }
        if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1);
        else if (character === '\u0015') typed = [];
        else typed = [...typed, character];
      }
    };
    stdin.on('data', onData).on('end', onEnd);
  });
}
