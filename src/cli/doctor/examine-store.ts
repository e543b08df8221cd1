import { printable } from '../../model/names.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import type { CommonOptions } from '../common-options.ts';
import { STORE_DAMAGED_EXIT_CODE } from '../exit-code.ts';
import { counted } from '../quantities.ts';
import { configFor, type Session } from '../session.ts';

/** Compares the whole store by content, reports and removes what is damaged, and ends with 74 where there was any. */
export async function examineStore(
  cli: CliContext,
  flags: CommonOptions,
  session: Session,
  finish: Finish,
): Promise<void> {
  const [{ openStore }, { checkStore }] = await Promise.all([
    import('../../store/store.ts'),
    import('../../pipeline/check-store.ts'),
  ]);
  const store = await openStore((await configFor(cli, '.', flags)).store);
  const { emit } = session.context;
  const task = 'check the store';
  emit({ kind: 'task-started', task, label: `comparing ${store.directory}`, total: undefined, unit: 'items' });
  const report = await checkStore(store, {
    signal: cli.signal,
    onProgress: (done) => {
      if (done % 100 === 0) emit({ kind: 'task-progress', task, done });
    },
  }).finally(() => emit({ kind: 'task-finished', task, outcome: 'done' }));
  const { checked, damaged, unknown } = report;
  if (damaged.length > 0) finish(STORE_DAMAGED_EXIT_CODE);
  if (flags.json === true) return session.document({ directory: store.directory, ...report });
  session.result([
    ...damaged.map(({ path, text }) => `damaged  ${printable(path)}: ${text}`),
    ...(unknown.length === 0
      ? []
      : [
          `${counted(unknown.length, 'directory').replace(/directorys$/, 'directories')} that nothing describes any more: buildit gc removes old ones`,
        ]),
    damaged.length === 0
      ? `${counted(checked, 'item')} compared, nothing is damaged`
      : `${counted(checked, 'item')} compared, ${damaged.length} damaged: they are fetched or made again when needed`,
  ]);
}
