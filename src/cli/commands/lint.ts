import type { Command } from 'commander';
import type { DefinitionFinding } from '../../definition/lint/definition-finding.ts';
import { BuilditError } from '../../model/errors.ts';
import type { LintOutcome } from '../../pipeline/lint-run.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { exitCodeOf } from '../exit-code.ts';
import { examples } from '../help-text.ts';
import { shownPath } from '../render-error.ts';
import { configFor, withSession } from '../session.ts';

interface LintFlags extends CommonOptions {
  readonly fix?: true;
  readonly strict?: true;
}

export function addLintCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('lint')
    .description('judge definitions without building: what reading them refuses, and matters of style')
    .argument('<what...>', 'directories of containers, packages or repositories, or names of recipes');
  addCommonOptions(command)
    .option('--fix', 'mend what is spelt badly; all else in the files stays as it is')
    .option('--strict', 'fail for warnings too')
    .option('--json', 'print {"findings": [{code, severity, message, file, line, column, …}], …}')
    .addHelpText('after', () =>
      examples(
        ['buildit lint nginx-prod/', 'a container with its embedded packages'],
        ['buildit lint repos/main', 'every recipe of a repository, in all versions and with all flags'],
        ['buildit lint --fix www-servers/nginx', 'mend one recipe'],
        ['buildit lint --strict --json repos/main', 'for scripts: 14 when there is anything to say'],
      ),
    )
    .action((what: readonly string[], flags: LintFlags) =>
      withSession(cli, flags, async (session) => {
        const { lint } = await import('../../pipeline/lint-run.ts');
        const outcome = await lint({
          cwd: cli.cwd,
          what,
          fix: flags.fix === true,
          configFor: (directory) => configFor(cli, directory, flags),
        });
        if (flags.json === true) session.document(lintDocument(outcome));
        else session.result(lintLines(outcome, cli.cwd));
        if (countOf(outcome, 'error') > 0 || (flags.strict === true && outcome.findings.length > 0)) {
          finish(exitCodeOf(new BuilditError('lint-failed', 'Cannot accept the definitions')));
        }
      }),
    );
}

/** More findings of one kind in one file are counted. */
const MOST_SHOWN = 50;

/** `FILE:LINE:COLUMN: warning: MESSAGE (code)`, which editors understand, then a line that counts them. */
export function lintLines(outcome: LintOutcome, cwd: string): string[] {
  const kinds = new Map<string, number>();
  const lines = outcome.findings.flatMap(({ position, severity, message, code, hint }) => {
    const { file, line, column } = position;
    const kind = `${shownPath(file, cwd)}: ${severity}: $MORE more of this kind (${code}); --json lists all`;
    const count = (kinds.get(kind) ?? 0) + 1;
    kinds.set(kind, count);
    if (count > MOST_SHOWN) return [];
    return [
      `${shownPath(file, cwd)}:${line}:${column}: ${severity}: ${message} (${code})`,
      ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ];
  });
  for (const [kind, count] of kinds) {
    if (count > MOST_SHOWN) lines.push(kind.replace('$MORE', String(count - MOST_SHOWN)));
  }
  const fixable = outcome.findings.filter(({ fix }) => fix !== undefined).length;
  const counts = [
    counted(countOf(outcome, 'error'), 'error'),
    counted(countOf(outcome, 'warning'), 'warning'),
    ...(outcome.fixed > 0 ? [`${outcome.fixed} mended`] : []),
    ...(fixable > 0 ? [`${fixable} to be mended by --fix`] : []),
  ];
  return [...lines, counts.join(', ')];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function countOf({ findings }: LintOutcome, severity: DefinitionFinding['severity']): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

function lintDocument(outcome: LintOutcome) {
  return {
    findings: outcome.findings.map(({ code, severity, message, hint, position, fix }) => ({
      code,
      severity,
      message,
      ...(hint === undefined ? {} : { hint }),
      file: position.file,
      line: position.line,
      column: position.column,
      fixable: fix !== undefined,
    })),
    errors: countOf(outcome, 'error'),
    warnings: countOf(outcome, 'warning'),
    fixed: outcome.fixed,
  };
}
