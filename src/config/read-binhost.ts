import { integerAt, scalarAt, textAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { BinhostConfig } from '../model/config.ts';
import { isRepositoryName } from '../model/names.ts';
import { isBinhostLocation } from './binhost-location.ts';

const UPLOAD_TYPES = ['ssh', 'file'] as const;
const DOWNLOAD_TYPES = ['https', 'http', 'ssh', 'file'] as const;

/** Reads one place to share packages through. */
export function readBinhost(map: YamlMap, label: string, problems: Problems): BinhostConfig | undefined {
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
    else if (!isBinhostLocation(type, node.text)) {
      problems.expected(
        node,
        `${label}.${key}-path`,
        type === 'ssh' ? 'user@host/path' : type === 'file' ? 'a directory' : 'host/path',
      );
    }
    return node.text;
  };
  const uploadPath = place('upload', uploadType);
  const downloadPath = place('download', downloadType);
  const rules = { label: `${label}.priority`, minimum: 0, maximum: 1_000_000, problems };
  const priority = integerAt(map, 'priority', rules) ?? 0;
  return nameNode && { name: nameNode.text, uploadType, uploadPath, downloadType, downloadPath, priority };
}
