import type { Command } from 'commander';
import { findDefaultStore } from '../../config/default-store.ts';
import { BuilditError } from '../../model/errors.ts';
import { temporaryDirectory } from '../../system/user-directories.ts';
import type { CliContext } from '../cli-context.ts';
import { type Colours, coloursFor } from '../colours.ts';
import type { Finish } from '../command-line.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examineStore } from '../doctor/examine-store.ts';
import { type Finding, fault } from '../doctor/finding.ts';
import type { HostView } from '../doctor/host-view.ts';
import { exitCodeOf } from '../exit-code.ts';
import { examples } from '../help-text.ts';
import { configFor, withSession } from '../session.ts';
import { understoodErrors } from '../understood-error.ts';

export function addDoctorCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('doctor')
    .description('see whether this machine can build, and how to mend what keeps it from that');
  addCommonOptions(command)
    .option('--contents', 'compare the store by content and remove what is damaged; --store alone means the same')
    .option('--json', 'print the findings as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit doctor', 'ends with 0 when nothing is wrong, else with 78'],
        ['buildit doctor --store', 'compare the whole store by content; ends with 74 when something was damaged'],
        ['buildit doctor --contents --store DIR', 'the same for a store elsewhere'],
      ),
    )
    .action(({ store, ...rest }: DoctorFlags) => {
      const flags: CommonOptions = store === true || store === undefined ? rest : { ...rest, store };
      return withSession(cli, flags, async (session) => {
        if (store === true || rest.contents === true) return examineStore(cli, flags, session, finish);
        const findings = await findingsHere(cli, flags);
        if (flags.json === true) session.document({ findings });
        else session.result(findingLines(findings, coloursFor(cli.stdout.isTerminal, cli.environment)));
        if (findings.some(({ state }) => state === 'fault')) {
          finish(exitCodeOf(new BuilditError('configuration-invalid', 'Cannot build on "this machine"')));
        }
      });
    });
  takeStoreWithoutValue(command);
}

type DoctorFlags = Omit<CommonOptions, 'store'> & { readonly store?: string | true; readonly contents?: true };

/** `--store DIR` names the store, as everywhere; here `--store` alone asks for a look into it. */
function takeStoreWithoutValue(command: Command): void {
  const option = command.options.find(({ long }) => long === '--store')!;
  option.flags = '--store [dir]';
  option.required = false;
  option.optional = true;
}

async function findingsHere(cli: CliContext, flags: CommonOptions): Promise<readonly Finding[]> {
  const [{ examineHost }, { runAsBuild, tryHardLink, trySandboxAsBuild }, { isRealRoot }] = await Promise.all([
    import('../doctor/examine-host.ts'),
    import('../doctor/host-view.ts'),
    import('../../build/build-owner.ts'),
  ]);
  const { store, debianMirror, findings } = await settingsHere(cli, flags);
  const isRoot = isRealRoot();
  const host: HostView = {
    root: '',
    environment: cli.environment,
    store,
    debianMirror,
    nodeVersion: process.version,
    nowMs: Date.now(),
    isRoot,
    run: runAsBuild(isRoot),
    trySandbox: trySandboxAsBuild(isRoot),
    tryHardLink,
  };
  return [...(await examineHost(host)), ...findings];
}

/** A configuration that cannot be read is a finding as well; the rest is then looked at as if there were none. */
async function settingsHere(
  cli: CliContext,
  flags: CommonOptions,
): Promise<{ store: string; debianMirror: string | undefined; findings: readonly Finding[] }> {
  try {
    const config = await configFor(cli, '.', flags);
    return { store: config.store, debianMirror: config.debian.mirror, findings: [] };
  } catch (error) {
    const errors = understoodErrors(error);
    if (errors === undefined) throw error;
    return {
      store: findDefaultStore(cli.environment) ?? temporaryDirectory(),
      debianMirror: undefined,
      findings: errors.map(({ message, hint, position }) =>
        fault(
          'configuration',
          position === undefined ? message : `${message} (${position.file}:${position.line}:${position.column})`,
          ...(hint === undefined ? [] : [hint]),
        ),
      ),
    };
  }
}

export function findingLines(findings: readonly Finding[], colours: Colours): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const paint = { ok: colours.green, advice: colours.yellow, fault: colours.red };
  const lines = findings.flatMap(({ check, state, text, remedy }) => [
    `${paint[state](state.padEnd(6))}  ${check.padEnd(width)}  ${text}`,
    ...remedy.map((line) => `${' '.repeat(8)}→ ${line}`),
  ]);
  const faults = findings.filter(({ state }) => state === 'fault').length;
  return [
    ...lines,
    faults === 0 ? 'This machine can build.' : `${faults} ${faults === 1 ? 'fault' : 'faults'} to mend.`,
  ];
}
