/** A format that buildit does not unpack, and how a recipe does it in `prepare`. */
export interface ForeignFormat {
  /** `an archive of 7-Zip`, `a tar compressed by lzip` */
  readonly description: string;
  /** The Debian package whose program unpacks it; undefined where the toolchain has one. */
  readonly debianPackage?: string | undefined;
  /** The command without the name of the file, which comes in place of FILE. */
  readonly command: string;
}

const UNTAR = 'tar -xf FILE --strip-components=1';
const BSDTAR = { debianPackage: 'libarchive-tools', command: 'bsdtar -xf FILE --strip-components=1' };
/** `lzip` itself is an alternative of Debian, which a maintainer script would make. */
const LZIP = {
  description: 'data compressed by lzip',
  debianPackage: 'lzip',
  command: `${UNTAR} --use-compress-program=lzip.lzip`,
};
const LZMA = { description: 'data compressed by lzma', debianPackage: 'xz-utils', command: `${UNTAR} --lzma` };
const COMPRESS = { description: 'data compressed by compress', command: `${UNTAR} --gzip` };
const LZOP = { description: 'data compressed by lzop', debianPackage: 'lzop', command: UNTAR };
const LZ4 = {
  description: 'data compressed by lz4',
  debianPackage: 'lz4',
  command: `${UNTAR} --use-compress-program=lz4`,
};
const LRZIP = { description: 'data compressed by lrzip', debianPackage: 'lrzip', command: 'lrzuntar FILE' };
const SEVEN_ZIP = { description: 'an archive of 7-Zip', ...BSDTAR };
const RAR = { description: 'an archive of RAR', ...BSDTAR };
const CPIO = { description: 'an archive of cpio', ...BSDTAR };
const AR = { description: 'an archive of ar, such as a Debian package', command: 'ar x FILE' };
const XAR = { description: 'an archive of xar', ...BSDTAR };
const CAB = { description: 'a cabinet of Windows', ...BSDTAR };
const LHA = { description: 'an archive of LHA', ...BSDTAR };
const ISO = { description: 'an image of ISO 9660', ...BSDTAR };
const ZPAQ = { description: 'an archive of zpaq', debianPackage: 'zpaq', command: 'zpaq extract FILE' };
const ARJ = { description: 'an archive of ARJ', debianPackage: 'arj', command: 'arj x FILE' };
const ACE = { description: 'an archive of ACE', debianPackage: 'unace', command: 'unace x FILE' };
const RPM = { description: 'a package of RPM', ...BSDTAR };
const BROTLI = {
  description: 'data compressed by brotli',
  debianPackage: 'brotli',
  command: 'brotli -dc FILE | tar -x --strip-components=1',
};
const OLD_ZSTD = { description: 'zstd data of a version before 0.8', ...BSDTAR };

/** Signatures at the beginning, in latin1. */
const SIGNATURES: readonly (readonly [string, ForeignFormat])[] = [
  ['LZIP', LZIP],
  ['\x1f\x9d', COMPRESS],
  ['\x89LZO', LZOP],
  ['\x04\x22\x4d\x18', LZ4],
  ['LRZI', LRZIP],
  ['7z\xbc\xaf\x27\x1c', SEVEN_ZIP],
  ['Rar!\x1a\x07', RAR],
  ['070701', CPIO],
  ['070702', CPIO],
  ['070707', CPIO],
  ['\xc7\x71', CPIO],
  ['\x71\xc7', CPIO],
  ['!<arch>\n', AR],
  ['xar!', XAR],
  ['MSCF\0\0\0\0', CAB],
  ['7kSt', ZPAQ],
  ['zPQ', ZPAQ],
  ['\x60\xea', ARJ],
  ['\xed\xab\xee\xdb', RPM],
  // The magic numbers of 0.1 to 0.7 differ in the first byte.
  ...Array.from({ length: 7 }, (_, index) => [`${String.fromCharCode(0x21 + index)}\xb5\x2f\xfd`, OLD_ZSTD] as const),
  ['\x1e\xb5\x2f\xfd', OLD_ZSTD],
];

const LHA_PATTERN = /^..-l[hz][0-9s]-/s;
/** Properties that programs write, a size of the dictionary that is a power of two, and a size or none: lzma(5). */
const LZMA_PATTERN = /^\x5d\0\0[\0-\x80][\0-\x20](?:\xff{8}|.{5}\0\0\0)/s;
const ISO_OFFSET = 32769;

/** How many bytes at the beginning tell every format. */
export const FORMAT_BYTES = ISO_OFFSET + 5;

/** A format that is known and not unpacked, by the first bytes; undefined for others. */
export function foreignFormatOf(start: Buffer): ForeignFormat | undefined {
  const text = start.toString('latin1', 0, 32);
  const found = SIGNATURES.find(([signature]) => text.startsWith(signature));
  if (found !== undefined) return found[1];
  if (LHA_PATTERN.test(text)) return LHA;
  if (LZMA_PATTERN.test(text)) return LZMA;
  return start.toString('latin1', ISO_OFFSET, FORMAT_BYTES) === 'CD001' ? ISO : undefined;
}

/** The kind of archive that the first bytes are of without doubt, compressed tars aside; undefined for other files. */
export function plainArchiveOf(start: Buffer): string | undefined {
  if (/^PK\x03\x04|^PK\x05\x06/.test(start.toString('latin1', 0, 4))) return 'a zip archive';
  if (start.toString('latin1', 257, 262) === 'ustar') return 'a tar archive';
  return foreignFormatOf(start)?.description;
}

const NAMES: readonly (readonly [RegExp, ForeignFormat])[] = [
  [/\.(?:tar\.lz|tlz)$/i, LZIP],
  [/\.(?:tar\.lzma)$/i, LZMA],
  [/\.(?:tar\.Z|taz)$/i, COMPRESS],
  [/\.(?:tar\.lzo|tzo)$/i, LZOP],
  [/\.tar\.lz4$/i, LZ4],
  [/\.(?:tar\.lrz|tlrz)$/i, LRZIP],
  [/\.tar\.br$/i, BROTLI],
  [/\.7z$/i, SEVEN_ZIP],
  [/\.rar$/i, RAR],
  [/\.cpio(?:\.(?:gz|xz|bz2|zst))?$/i, CPIO],
  [/\.xar$/i, XAR],
  [/\.(?:lha|lzh)$/i, LHA],
  [/\.zpaq$/i, ZPAQ],
  [/\.arj$/i, ARJ],
  [/\.ace$/i, ACE],
];

/** A source archive that is not unpacked, by its name; undefined for others. */
export function foreignFormatOfName(fileName: string): ForeignFormat | undefined {
  return NAMES.find(([pattern]) => pattern.test(fileName))?.[1];
}

/** Formats of their own kind: nobody who names such a file expects it to be unpacked, whatever is in it. */
const WHOLE_FILE =
  /\.(?:jar|war|ear|aar|whl|egg|gem|deb|udeb|rpm|apk|aab|ipa|xpi|crx|vsix|nupkg|docx|xlsx|pptx|od[tspg]|epub|cb[zr7]|kmz|iso|dmg|img|a|cab|pkg|msi|exe|run|sh|appimage|gz|bz2|xz|zst|lz|lzma|z|br|lz4|ova|box|hhp|pak|pk3|wad|love|sfx|xps|ora|kra|3mf|oxt|snap|flatpak|whz|pyz|par|phar|tmpl)$/i;

/** Whether a name tells that a file is kept as it is. */
export function isWholeFileName(fileName: string): boolean {
  return WHOLE_FILE.test(fileName);
}

/** What the author of a recipe can do about an archive that is neither to be kept nor to be unpacked. */
export function undecidedHint(fileName: string): string {
  return `unpack: true in the source unpacks it, and so does filename: ${fileName}.tar; unpack: false keeps it as a file`;
}

/** What the author of a recipe can do about an archive that buildit does not unpack. */
export function unpackingHint(fileName: string, { command, debianPackage }: ForeignFormat): string {
  const line = `unpack: false in the source keeps the file; unpack it in phases: {prepare: ${command.replace('FILE', fileName)}}`;
  return debianPackage === undefined ? line : `${line}, with dependencies: {build: [debian/${debianPackage}]}`;
}

const ZIP: ForeignFormat = { description: 'a zip archive', ...BSDTAR };

/** Programs that tar starts by the name of the file; a minimal root has gzip alone. */
const DECOMPRESSORS: readonly (readonly [RegExp, string])[] = [
  [/\.t?zst$/i, 'zstd'],
  [/\.(?:xz|txz)$/i, 'xz-utils'],
  [/\.(?:bz2|tbz2?)$/i, 'bzip2'],
];

function tarFormat(fileName: string): ForeignFormat {
  const debianPackage = DECOMPRESSORS.find(([suffix]) => suffix.test(fileName))?.[1];
  return { description: 'a tar archive', debianPackage, command: UNTAR };
}

/** The same for an archive of a kind that buildit unpacks, where it refuses this one. */
export function unpackingHintFor(fileName: string, isZip: boolean): string {
  return unpackingHint(fileName, isZip ? ZIP : tarFormat(fileName));
}
