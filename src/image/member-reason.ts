/** Why a package is in an image. */
export type MemberReason =
  | { readonly kind: 'base' }
  | { readonly kind: 'requested' }
  | { readonly kind: 'library'; readonly by: string; readonly file: string; readonly soname: string }
  | { readonly kind: 'run'; readonly by: string }
  | { readonly kind: 'depends'; readonly by: string }
  /** It stands in for `replaced`, which `by` depends on. */
  | { readonly kind: 'replacement'; readonly by: string; readonly replaced: string };

export function reasonText(reason: MemberReason): string {
  switch (reason.kind) {
    case 'base':
      return 'the base of the image';
    case 'requested':
      return 'the container asks for it';
    case 'library':
      return `${reason.by} needs ${reason.soname} (${reason.file})`;
    case 'run':
      return `${reason.by} declares that it runs it`;
    case 'depends':
      return `${reason.by} depends on it`;
    case 'replacement':
      return `${reason.by} depends on ${reason.replaced}, which it replaces`;
  }
}
