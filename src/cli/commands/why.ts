import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { didYouMean } from '../../document/closest-name.ts';
import type { SelectedImage } from '../../image/select-members.ts';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { Plan } from '../../model/plan.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { comparisonLines, explanationLines } from '../explanation-lines.ts';
import { examples } from '../help-text.ts';
import { configFor, type Session, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { type WhyInImage, whyInImage } from '../why-chain.ts';
import { buildOptions } from './build.ts';

export function addWhyCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('why')
    .description('say why a package is in an image, where it comes from, or what makes two HASHes differ')
    .argument('<dir>', 'a directory that holds a container.yaml; or a HASH')
    .argument('<package>', 'CATEGORY/NAME, or the name of a Debian package; or another HASH');
  addContainerOptions(command)
    .option('--json', 'print the reasons as one JSON document')
    .option('--no-build', 'say only where the package comes from; the image is not looked at and nothing is built')
    .addHelpText('after', () =>
      examples(
        ['buildit why nginx-prod/ zlib1g', 'who brings zlib along'],
        ['buildit why --no-build nginx-prod/ nginx', 'where it comes from, or what differs from what binhosts have'],
        ['buildit why 86c8ef43 0d4f71aa', 'what makes these HASHes differ, input by input'],
      ),
    )
    .action((directory: string, typed: string, flags: WhyFlags) =>
      withSession(cli, flags, async (session) => {
        if (isHash(directory) && isHash(typed)) await compare(cli, [directory, typed], flags, session);
        else await explain(cli, directory, typed, flags, session);
      }),
    );
}

interface WhyFlags extends ContainerOptions {
  readonly build: boolean;
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{8}[0-9a-f-]*$/i.test(text) && !existsSync(text);
}

async function compare(
  cli: CliContext,
  hashes: readonly [string, string],
  flags: WhyFlags,
  session: Session,
): Promise<void> {
  const { compareHashes } = await import('../../pipeline.ts');
  const config = await configFor(cli, cli.cwd, flags);
  const comparison = await compareHashes({ config, context: session.context, witness: createWitness() }, hashes);
  session.screen.close();
  if (flags.json === true) session.document(comparison);
  else session.result(comparisonLines(comparison));
}

async function explain(
  cli: CliContext,
  directory: string,
  typed: string,
  flags: WhyFlags,
  session: Session,
): Promise<void> {
  const { explainPackage, makePlan, selectPackages } = await import('../../pipeline.ts');
  const options = await buildOptions(cli, directory, flags, session);
  const { plan } = await makePlan(options);
  const name = nameInPlan(plan, typed);
  const { explanation } = await explainPackage(options, name);
  const selected = flags.build ? await selectPackages(options) : undefined;
  const answer = selected === undefined ? undefined : answerFor(name, plan, selected);
  session.screen.close();
  const nameOf = (hash: string) => {
    const step = plan.stepsByHash.get(hash);
    return step === undefined ? undefined : `${step.name}-${step.version}`;
  };
  if (flags.json === true) session.document({ ...answer, name, origin: explanation });
  else
    session.result([
      ...(answer === undefined ? [] : answerLines(answer)),
      ...(explanation === undefined ? [] : explanationLines(explanation, nameOf)),
    ]);
}

/** The name that the plan gives to what was typed: with its category, which Debian packages go without. */
export function nameInPlan(plan: Plan, typed: string): string {
  const names = new Set([...plan.stepsByHash.values()].map(({ kind, name }) => withCategory(kind, name)));
  const found = [typed, `debian/${typed}`, [...names].find((name) => name.split('/')[1] === typed)].find(
    (name) => name !== undefined && names.has(name),
  );
  if (found !== undefined) return found;
  throw new BuilditError(
    'usage',
    `Cannot find "${printable(typed)}" in the plan: expected a package of the image or of a build root, found none`,
    {
      hint: didYouMean(
        typed,
        [...names].flatMap((name) => [name, name.split('/')[1]!]),
      ),
    },
  );
}

function withCategory(kind: 'build' | 'debian', name: string): string {
  return kind === 'debian' && !name.includes('/') ? `debian/${name}` : name;
}

interface WhyAnswer {
  readonly name: string;
  readonly image: WhyInImage | undefined;
  /** What stands in for it in the image. */
  readonly replacedBy: string | undefined;
  /** Packages in whose build root it is. */
  readonly roots: readonly string[];
}

export function answerFor(
  name: string,
  plan: Plan,
  { reasons, replaced }: Pick<SelectedImage, 'reasons' | 'replaced'>,
): WhyAnswer {
  const known = [...plan.stepsByHash.values()].filter((step) => withCategory(step.kind, step.name) === name);
  const hashes = new Set(known.map(({ hash }) => hash));
  return {
    name,
    image: whyInImage(reasons, name),
    replacedBy: replaced.get(name),
    roots: plan.steps.filter(({ root }) => root.some((hash) => hashes.has(hash))).map((step) => step.name),
  };
}

export function answerLines({ name, image, replacedBy, roots }: WhyAnswer): string[] {
  const rows = image?.chain.map((link) => [`  ${link.name}`, link.because]) ?? [];
  return [
    `${name} is ${image === undefined ? 'not ' : ''}in the image`,
    ...(rows.length === 0 ? [] : textTable([{ title: '' }, { title: '' }], rows).slice(1)),
    ...(image?.also.map((reason) => `  also: ${reason}`) ?? []),
    ...(replacedBy === undefined ? [] : [`  ${replacedBy} stands in for it`]),
    ...(roots.length === 0 ? [] : [`${name} is in the build root of ${roots.join(', ')}`]),
  ];
}
