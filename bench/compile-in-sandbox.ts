import { mkdirSync } from 'node:fs';
import { composeRoots, createPhaseRunner, type RequestRoots } from '../src/build/local-executor.ts';
import { makeLogPipe } from '../src/build/pack-output.ts';
import { phaseEnvironment } from '../src/build/phase-environment.ts';
import { prepareWorkspace } from '../src/build/prepare-workspace.ts';
import { orderedPhases, runPhases } from '../src/build/run-phases.ts';
import { openWorkspace, type Workspace } from '../src/build/workspace.ts';
import type { BuildContext } from '../src/model/build-request.ts';
import { SANDBOX_PATHS } from '../src/model/sandbox-contract.ts';
import { prepareRun } from '../src/pipeline/prepare-run.ts';
import { prepareSandbox } from '../src/pipeline/realise-run.ts';
import { createWitness } from '../src/system/witness.ts';
import { benchConfig, builtContainer, silentContext } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { type Contender, interleave } from './support/measure.ts';
import type { Place } from './support/place.ts';
import { runProgram } from './support/run-program.ts';

/** The phases of nginx in buildit's sandbox, and the same scripts in the same root with nothing around them. */
export async function compileInSandbox(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const directory = builtContainer(place, 'examples/nginx-prod');
  const task = await openTask(place, directory);
  const stage = place.path('plain-root');
  mkdirSync(stage, { recursive: true });
  const [inside, outside] = await interleave(
    [
      contender(task, 'in the sandbox', (tree) => compileInside(task, tree)),
      contender(task, 'the same commands in a plain chroot', (tree) => compileOutside(task, tree, stage)),
    ],
    repetitions,
  );
  return [compare('compiling nginx', inside!, outside!, 1.05, 'cpu')];
}

type Task = Awaited<ReturnType<typeof openTask>>;

interface SourceTree {
  readonly workspace: Workspace;
  readonly sourceDate: number;
}

async function openTask(place: Place, directory: string) {
  const run = await prepareRun({
    directory,
    config: await benchConfig(place),
    context: silentContext(),
    witness: createWitness(),
    platform: undefined,
    locked: false,
    frozen: false,
    fromSource: false,
    binaryOnly: false,
    check: false,
    test: false,
    outputs: [],
    tag: [],
    push: false,
    discover: [],
  });
  const step = run.plan.steps.find(({ package: { origin } }) => origin.kind === 'embedded')!;
  const { sandbox, request } = await prepareSandbox(run, step);
  const roots: RequestRoots = await composeRoots(sandbox, request);
  const context: BuildContext = {
    signal: silentContext().signal,
    keepFailed: false,
    onPhase: () => undefined,
    onLog: () => undefined,
  };
  return { store: run.store, sandbox, request, roots, context };
}

/** Each run gets a source tree of its own, unpacked and patched before the clock starts. */
function contender(task: Task, name: string, compile: (tree: SourceTree) => void | Promise<void>): Contender {
  let tree: SourceTree;
  return {
    name,
    async prepare() {
      const workspace = await openWorkspace(task.store, task.request.hash, 'bench');
      const { packingRoot: root } = task.roots;
      const { bubblewrap } = task.sandbox;
      const { signal } = task.context;
      await makeLogPipe({ bubblewrap, root, workspace, limits: task.request.limits, signal });
      tree = { workspace, sourceDate: await prepareWorkspace(workspace, task.sandbox, task.request, task.context) };
    },
    async run() {
      await compile(tree);
    },
    after: () => tree.workspace.release(),
  };
}

async function compileInside({ sandbox, request, roots, context }: Task, tree: SourceTree): Promise<void> {
  const runner = createPhaseRunner(sandbox, request, context, roots, tree.workspace, tree.sourceDate);
  const failure = await runPhases(orderedPhases(request.phases), runner);
  if (failure !== undefined) throw new Error(`The phase ${failure.phase} failed: ${failure.explanation}`);
}

/** Mounts in a name space of their own, which ends with the script. The root stays read-only: it is the store's. */
const PLAIN_CHROOT = `
  root=$1 stage=$2 work=$3 output=$4 scripts=$5 user=$6 phases=$7; shift 7
  mount -t tmpfs plain-root "$stage"
  for top in "$root"/*/; do
    name=$(basename "$top")
    mkdir "$stage/$name"
    mount --bind "$root/$name" "$stage/$name"
    mount -o remount,bind,ro "$stage/$name"
  done
  for name in bin sbin lib lib32 lib64 libx32; do
    if [[ -d $root/usr/$name ]]; then ln -s "usr/$name" "$stage/$name"; fi
  done
  mkdir -p "$stage"/{proc,dev,tmp,build,out,run/buildit}
  mount --rbind /proc "$stage/proc"
  mount --rbind /dev "$stage/dev"
  mount -t tmpfs -o mode=1777 plain-tmp "$stage/tmp"
  mount --bind "$work" "$stage/build"
  mount --bind "$output" "$stage/out"
  mount --bind "$scripts" "$stage/run/buildit"
  exec chroot $user "$stage" /usr/bin/env -i "$@" /usr/bin/bash -euo pipefail -c \\
    'umask 022; cd ${SANDBOX_PATHS.source}; for phase; do bash -euo pipefail ${SANDBOX_PATHS.scripts}/"$phase"; done' phases $phases`;

function compileOutside({ request, roots }: Task, { workspace, sourceDate }: SourceTree, stage: string): void {
  const { work, output, scripts, owner } = workspace;
  const user = owner === undefined ? '' : `--userspec=${owner.uid}:${owner.gid}`;
  const phases = orderedPhases(request.phases).map(({ name }) => name);
  const environment = Object.entries(phaseEnvironment(request, sourceDate)).map(([name, value]) => `${name}=${value}`);
  const isolation = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--user', '--map-root-user'];
  const places = [roots.root.path, stage, work, output, scripts, user, phases.join(' '), ...environment];
  runProgram(['unshare', ...isolation, 'bash', '-euo', 'pipefail', '-c', PLAIN_CHROOT, 'plain-chroot', ...places]);
}
