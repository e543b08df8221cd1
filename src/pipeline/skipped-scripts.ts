import { EFFECT_KINDS, effectRule, skippedEffects } from '../debian/skipped-scripts.ts';
import type { SelectedMember } from '../image/image-member.ts';
import type { DebianPin } from '../model/lock.ts';
import type { Hash } from '../model/package-hash.ts';
import type { Run } from './prepare-run.ts';

const MOST_NAMED = 8;
const PAGE = 'docs/debian-packages.md';

/** What an image misses since maintainer scripts do not run: a sentence for each kind of thing that matters. */
export async function skippedScriptNotes(run: Run, members: readonly SelectedMember[]): Promise<readonly string[]> {
  const packages = await effectsOf(
    run,
    members.flatMap(({ kind, hash }) => (kind === 'debian' ? pinOf(run, hash) : [])),
  );
  return EFFECT_KINDS.filter((kind) => effectRule(kind).matters).flatMap((kind) => {
    const matching = packages.flatMap(({ name, effects }) => {
      const effect = effects?.find((one) => one.kind === kind);
      return effect === undefined ? [] : [{ name, command: effect.command }];
    });
    if (matching.length === 0) return [];
    const names = matching.slice(0, MOST_NAMED).map(({ name }) => name);
    const more = matching.length - names.length;
    const who = more > 0 ? `${names.join(', ')} and ${more} more` : names.join(' and ');
    const { does, instead } = effectRule(kind);
    return [`maintainer scripts do not run: ${who} would ${does} (${matching[0]!.command}); ${instead}, see ${PAGE}`];
  });
}

/** Every effect of every Debian package that the image may hold, for `plan --verbose`. */
export async function skippedScriptLines(run: Run): Promise<readonly string[]> {
  const pins = run.plan.imageCandidates.flatMap((hash) => pinOf(run, hash));
  const packages = await effectsOf(run, pins);
  const rows = packages.flatMap(({ name, effects = [] }) =>
    effects.map(({ kind, command }) => {
      const { does, instead } = effectRule(kind);
      return `  ${name} would ${does} (${command}): ${instead}`;
    }),
  );
  const unknown = packages.filter(({ effects }) => effects === undefined).length;
  const rest = unknown === 0 ? [] : [`  ${unknown} Debian packages are not fetched yet, and their scripts not known`];
  const built = run.plan.imageCandidates.some((hash) => run.plan.stepsByHash.get(hash)?.kind === 'build');
  const scanners = built
    ? ['Packages that are built from source are not visible to scanners such as syft and trivy yet.']
    : [];
  if (rows.length + rest.length === 0) return scanners;
  return [...scanners, `Skipped maintainer scripts (${PAGE}):`, ...rows, ...rest];
}

function pinOf({ plan }: Run, hash: Hash): readonly DebianPin[] {
  const step = plan.stepsByHash.get(hash);
  return step?.kind === 'debian' && !plan.standIns.has(hash) ? [step.pin] : [];
}

async function effectsOf({ store }: Run, pins: readonly DebianPin[]) {
  const sorted = pins.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(sorted.map(async (pin) => ({ name: pin.name, effects: await skippedEffects(store, pin) })));
}
