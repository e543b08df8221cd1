import { booleanAt, integerAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import type { BinhostConfig } from '../model/config.ts';
import { isRepositoryName } from '../model/names.ts';
import { binhostLocationFault } from './binhost-location.ts';
import { parseDurationMs } from './quantities.ts';

const UPLOAD_TYPES = ['ssh', 'file'] as const;
const DOWNLOAD_TYPES = ['https', 'http', 'ssh', 'file'] as const;

/** Without any setting, places of every type wait so long. */
const USUAL_TIMEOUT_MS = 20_000;

const VERIFY = ['require', 'warn', 'off'] as const;

export interface ReadBinhostOptions {
  /** Settings about trust count: the file is the user's own, or was accepted. */
  readonly isTrusted: boolean;
  readonly problems: Problems;
  /** Told of a limit of a project's file that is above the usual one and does not count. */
  readonly onTooHigh: (node: YamlScalar, label: string) => void;
  /** Makes a path of the file absolute. */
  readonly resolvePath: (path: YamlScalar, label: string) => string;
  /** The same for the directory of a binhost; undefined for one that does not count. */
  readonly resolvePlace: (path: YamlScalar, label: string, use: 'upload' | 'download') => string | undefined;
}

/** Reads one place to share packages through. */
export function readBinhost(map: YamlMap, label: string, options: ReadBinhostOptions): BinhostConfig | undefined {
  const { problems } = options;
  const nameNode = scalarAt(map, 'name');
  if (nameNode !== undefined && !isRepositoryName(nameNode.text)) {
    problems.expected(nameNode, `${label}.name`, 'a name such as mysuperbinhost');
  }
  const uploadType = UPLOAD_TYPES.find((type) => type === textAt(map, 'upload-type'));
  const downloadType = DOWNLOAD_TYPES.find((type) => type === textAt(map, 'download-type'));
  const place = (key: 'upload' | 'download', type: (typeof DOWNLOAD_TYPES)[number] | undefined): string | undefined => {
    const node = scalarAt(map, `${key}-path`);
    if (node === undefined) return undefined;
    if (type === undefined)
      problems.add(node, `Cannot use "${key}-path": expected "${key}-type" beside it, found none`);
    else {
      const fault = binhostLocationFault(type, node.text);
      const { expected, found, hint } = fault ?? {};
      if (fault !== undefined) {
        problems.add(node, `Cannot read "${label}.${key}-path": expected ${expected}, found ${found}`, { hint });
      }
    }
    return type === 'file' ? options.resolvePlace(node, `${label}.${key}-path`, key) : node.text;
  };
  const uploadPath = place('upload', uploadType);
  const downloadPath = place('download', downloadType);
  const rules = { label: `${label}.priority`, minimum: 0, maximum: 1_000_000, problems };
  const priority = integerAt(map, 'priority', rules) ?? 0;
  const timeoutNode = scalarAt(map, 'timeout');
  const timeoutMs = timeoutNode && parseDurationMs(timeoutNode.text);
  if (timeoutNode !== undefined && timeoutMs === undefined) {
    problems.expected(timeoutNode, `${label}.timeout`, 'a time such as 30s');
  }
  const isTooHigh = !options.isTrusted && timeoutMs !== undefined && timeoutMs > USUAL_TIMEOUT_MS;
  if (isTooHigh) options.onTooHigh(timeoutNode!, `${label}.timeout`);
  return (
    nameNode && {
      name: nameNode.text,
      uploadType,
      uploadPath,
      downloadType,
      downloadPath,
      priority,
      freshness: textAt(map, 'freshness') === 'require' ? 'require' : 'warn',
      driver: textAt(map, 'driver') === 'system' ? 'system' : 'builtin',
      timeoutMs: isTooHigh ? undefined : timeoutMs,
      trustedKeys: [],
      pinnedKeys: undefined,
      ...readTrustSettings(map, label, options),
    }
  );
}

/** From a project's file nothing of this counts but what asks for more. */
function readTrustSettings(map: YamlMap, label: string, { isTrusted, problems, resolvePath }: ReadBinhostOptions) {
  const builders = integerAt(map, 'builders', { label: `${label}.builders`, minimum: 1, maximum: 100, problems });
  if (!isTrusted) {
    return { verify: 'require', signers: undefined, builders: 1, ca: undefined, insecure: false } as const;
  }
  const signers = scalarsAt(map, 'signers').map(({ text }) => text);
  const ca = scalarAt(map, 'ca');
  return {
    verify: VERIFY.find((word) => word === textAt(map, 'verify')) ?? 'require',
    signers: signers.length === 0 ? undefined : signers,
    builders: builders ?? 1,
    ca: ca && resolvePath(ca, `${label}.ca`),
    insecure: booleanAt(map, 'insecure') ?? false,
  };
}
