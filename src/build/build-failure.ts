import type { BuildRequest, BuildResult } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

type FailedBuild = Extract<BuildResult, { kind: 'failed' }>;

/** A failed build as an error: what ended it, the end of its log, and where to look. */
export function buildFailure(
  request: BuildRequest,
  result: FailedBuild,
  log: { readonly tail: readonly string[]; readonly path: string },
  shownName: string,
): BuilditError {
  const name = `${request.name}-${request.version}`;
  return new BuilditError('build-failed', `Cannot build "${name}": ${result.phase}: ${printable(result.explanation)}`, {
    details: [...log.tail.map((line) => `| ${line}`), `log: ${printable(log.path)}`],
    hint: hints(result, printable(shownName)).join('\n'),
  });
}

function hints({ reason, workspace }: FailedBuild, shownName: string): string[] {
  return [
    `buildit log ${shownName} shows the whole log`,
    workspace === undefined
      ? `buildit shell ${shownName} opens the build; with --keep-failed the next failure can be looked at as it is`
      : `buildit shell ${shownName} --failed opens the build as it failed`,
    ...(reason === 'timeout' ? ['build.timeout in the configuration gives builds more time'] : []),
    ...(reason === 'memory'
      ? ['build.memory in the configuration gives builds more memory; fewer jobs need less']
      : []),
  ];
}
