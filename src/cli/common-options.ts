import { type Command, InvalidArgumentError, Option } from 'commander';
import { PROGRESS_MODES, type ProgressChoice } from './screen/progress-mode.ts';

/** Options of every verb that runs something. */
export interface CommonOptions {
  readonly store?: string;
  readonly offline?: true;
  readonly progress: ProgressChoice;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
}

/** Options of every verb that works on a container directory. */
export interface ContainerOptions extends CommonOptions {
  readonly platform?: string;
  readonly locked?: true;
  readonly frozen?: true;
  readonly jobs?: number;
  readonly discover?: readonly string[];
  readonly userPatches?: boolean;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--store <dir>', 'keep everything in this directory instead of the usual store')
    .option('--offline', 'use no network at all')
    .addOption(new Option('--progress <how>', 'how progress is shown').choices(PROGRESS_MODES).default('auto'))
    .option('-q, --quiet', 'print results and errors only')
    .option('-v, --verbose', 'print logs, reasons and causes too');
}

export function addContainerOptions(command: Command): Command {
  return addCommonOptions(
    command
      .option('--platform <os/arch>', 'build for this platform instead of the one in container.yaml')
      .option(
        '--discover <location[,push=True][,name=…][,ref=…][,trust=…]>',
        'add the recipes and binhosts that a location offers',
        (value: string, earlier: readonly string[] = []) => [...earlier, value],
      )
      .option('--locked', 'fail when buildit.lock would change')
      .option('--frozen', 'the same as --locked --offline')
      .option('--user-patches', 'apply your own patches too, from buildit/patches/ beside your configuration')
      .option('--no-user-patches', 'apply none of them')
      .option('-j, --jobs <n>', 'how many packages are built, and fetched, at once', positiveNumber),
  );
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,4}$/.test(text) || value < 1) throw new InvalidArgumentError('expected a number from 1 to 9999.');
  return value;
}
