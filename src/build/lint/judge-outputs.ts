import { readListing } from '../../layer/listing.ts';
import type { KeptLayer } from '../../model/layer.ts';
import type { LintAllowance, OutputFinding } from '../../model/output-lint.ts';
import type { Store } from '../../store/store.ts';
import { type LintRules, lintOutput } from './lint-output.ts';
import { surroundingsOf } from './lint-references.ts';
import { type Settled, settleFindings } from './settle-findings.ts';

/** What a package declares that it needs when it runs, with the closures of that. */
export interface RelatedLayers {
  readonly layers: readonly KeptLayer[];
  /** Names of those whose layers are not in the root of the build. */
  readonly unknown: readonly string[];
}

export interface Judgement extends Omit<LintRules, 'directories' | 'surroundings'> {
  readonly name: string;
  readonly allowed: readonly LintAllowance[];
  readonly related?: RelatedLayers | undefined;
}

/** Judges all layers that a build gave, as one package. */
export async function judgeOutputs(
  store: Store,
  layers: readonly KeptLayer[],
  { name, allowed, related = { layers: [], unknown: [] }, ...rules }: Judgement,
): Promise<Settled> {
  const listings = await Promise.all(layers.map(({ listing }) => readListing(store, listing)));
  const directories = new Set(listings.flat().flatMap(({ type, path }) => (type === 'directory' ? [path] : [])));
  const others = await Promise.all(related.layers.map(({ listing }) => readListing(store, listing)));
  const surroundings = surroundingsOf([...others, ...listings], related.unknown);
  const found: (readonly OutputFinding[])[] = [];
  for (const layer of layers) found.push(await lintOutput(store, layer, { ...rules, directories, surroundings }));
  return settleFindings(name, mergeLayers(found), allowed);
}

/** A package's licence is in one of its layers: it is missing where all of them lack it. */
function mergeLayers(found: readonly (readonly OutputFinding[])[]): readonly OutputFinding[] {
  const isLicense = ({ code }: OutputFinding) => code === 'missing-license';
  const [first = []] = found;
  const license = found.every((findings) => findings.some(isLicense)) ? first.filter(isLicense) : [];
  return [...found.flatMap((findings) => findings.filter((finding) => !isLicense(finding))), ...license];
}
