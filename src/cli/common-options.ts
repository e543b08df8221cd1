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

/** Options whose value is the next argument: needed to find the verb among options. */
export const OPTIONS_WITH_VALUE: readonly string[] = [
  '--store',
  '--progress',
  '--platform',
  '--discover',
  '--jobs',
  '-j',
  '--output',
  '--tag',
  '--phase',
  '--max-age',
  '--min-age',
  '--from',
  '--name',
  '--url',
  '--changed',
  '--affected-by',
  '--port',
  '--at',
  '--image',
  '--package',
  '--out',
  '-o',
  '--author',
  '--description',
  '--directory',
  '--fixes',
  '--forwarded',
  '--last-update',
  '--origin',
  '--strip',
];

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

/** `buildit --offline plan DIR` is `buildit plan --offline DIR`: the verb may stand after options. */
export function verbFirst(argv: readonly string[], verbs: ReadonlySet<string>): readonly string[] {
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index]!;
    if (argument === '--') return argv;
    if (OPTIONS_WITH_VALUE.includes(argument)) index += 1;
    else if (!argument.startsWith('-')) {
      return verbs.has(argument) ? [argument, ...argv.slice(0, index), ...argv.slice(index + 1)] : argv;
    }
  }
  return argv;
}
