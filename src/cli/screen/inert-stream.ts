import type { TextStream } from '../text-stream.ts';

export type CiService = 'github' | 'gitlab';

/** The CI service whose commands a line of this process's output could be. */
export function ciServiceOf(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CiService | undefined {
  if (environment.GITHUB_ACTIONS === 'true') return 'github';
  if (environment.GITLAB_CI === 'true') return 'gitlab';
  // In a container the variables of the service are often missing, and its screen is asked for by name.
  const index = argv.findLastIndex((argument) => argument === '--progress' || argument.startsWith('--progress='));
  const typed = index < 0 ? undefined : (argv[index]!.split('=')[1] ?? argv[index + 1]);
  return typed === 'github' || typed === 'gitlab' ? typed : undefined;
}

/**
 * A stream whose text is never a command to the CI service that reads it, wherever the text comes from. buildit's own
 * commands go around it. A blank in the middle breaks a command: `: :error::…`, `## [group]…`.
 */
export function inertStream(stream: TextStream, service: CiService | undefined): TextStream {
  if (service === undefined) return stream;
  let lineStart = '';
  return {
    ...stream,
    write(text) {
      // A line may be written in pieces: what its beginning says is judged again with each piece.
      const whole = lineStart + text;
      const inert = inertText(whole, service);
      stream.write(inert.slice(lineStart.length));
      lineStart = keptOf(inert.slice(Math.max(inert.lastIndexOf('\n'), inert.lastIndexOf('\r')) + 1));
    },
  };
}

/** A text in which no line is a command to the service. */
export function inertText(text: string, service: CiService | undefined): string {
  if (service === undefined) return text;
  return service === 'github' ? withoutWorkflowCommands(text) : withoutSections(text);
}

/** As much of an open line as judging its next piece needs. */
function keptOf(open: string): string {
  if (open.length <= 256) return open;
  return /\S/.test(open) ? `x${open.slice(-2)}` : ' ';
}

/**
 * GitHub's runner reads `::name …::value` at the start of a line, behind any Unicode white space, and `##[name …]value`
 * anywhere in it (ActionCommand.cs of actions/runner). Lines end as .NET's ReadLine has it: CR, LF or both.
 */
function withoutWorkflowCommands(text: string): string {
  if (!text.includes('::') && !text.includes('##[')) return text;
  return text
    .split(/([\r\n])/)
    .map((line) => line.replace(/^([\s\u0085\u180e\u200b\ufeff]*):(?=:)/, '$1: ').replaceAll('##[', '## ['))
    .join('');
}

/** GitLab folds what stands between `section_start:TIME:NAME` and `section_end:TIME:NAME`, each before a CR and `ESC[0K`. */
function withoutSections(text: string): string {
  return text.replace(/section_(start|end):(?=[0-9]{1,20}:[^\r\n]{0,512}\r)/g, 'section_$1 :');
}

/** A document as JSON in which no line is a command; `\u0023` means `#` to every reader. */
export function inertJson(value: unknown, indentation?: number): string {
  return JSON.stringify(value, undefined, indentation).replaceAll('##[', '#\\u0023[');
}
