import { packageName, readingsOfAtom } from '../definition/atom.ts';
import type { PlacedPackage } from '../definition/container-reading.ts';
import { parseWantedVersion, wantedVersionOf, wantedVersionText } from '../definition/wanted-version.ts';
import { memberOf, type YamlList, type YamlMap } from '../document/yaml-node.ts';
import type { Definitions } from '../model/container.ts';

/** A step `package` of container.yaml: which item it is, and what it asks for. */
export interface WrittenPackage {
  /** Index among the steps of the file. */
  readonly index: number;
  readonly node: YamlMap;
  /** As somebody would type it: `www-servers/nginx`, `debian/curl`, `./pkgs/nginx`. */
  readonly shown: string;
  /** Everything it is called: with a version, and an embedded one by the recipe's name too. */
  readonly names: readonly string[];
  /** The version or the range it asks for. */
  readonly version: string | undefined;
}

/** The package steps of a file; what they are called is read off the steps themselves, even where a recipe is gone. */
export function writtenPackages(
  root: YamlList,
  placed: readonly PlacedPackage[],
  definitions?: Definitions,
): readonly WrittenPackage[] {
  return placed.flatMap(({ package: asked, node }) => {
    const index = root.items.findIndex(
      (item) =>
        item.kind === 'map' &&
        item.document.path === node.document.path &&
        memberOf(item, 'package')?.value.start === node.start,
    );
    return index < 0 ? [] : [{ index, node, ...calledBy(asked, definitions) }];
  });
}

function calledBy(
  asked: PlacedPackage['package'],
  definitions: Definitions | undefined,
): Pick<WrittenPackage, 'shown' | 'names' | 'version'> {
  switch (asked.kind) {
    case 'embedded': {
      const path = asked.shownPath.replace(/^(?:\.\/)*/, './');
      const recipe = definitions?.packages.find(
        ({ origin }) => origin.kind === 'embedded' && origin.directory === asked.directory,
      );
      return { shown: path, names: [path, ...(recipe === undefined ? [] : [recipe.name])], version: undefined };
    }
    case 'debian': {
      const shown = `debian/${asked.name}`;
      return { shown, names: [shown], version: asked.version };
    }
    case 'repository': {
      const known = new Set(definitions?.requested ?? []);
      const readings = readingsOfAtom(asked.name);
      const meant = readings.find((atom) => known.has(packageName(atom)));
      const names = (meant === undefined ? readings : [meant]).map(packageName);
      const shown = meant === undefined ? asked.name : packageName(meant);
      const wanted = asked.version === undefined ? meant && wantedVersionOf(meant) : parseWantedVersion(asked.version);
      return { shown, names: [asked.name, ...names], version: wanted && wantedVersionText(wanted) };
    }
  }
}
