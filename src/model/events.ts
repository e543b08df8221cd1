import type { Hash } from './package-hash.ts';

/** What happens during a run, as data. The command line turns events into lines, a live view, or JSON. */
export type BuilditEvent =
  | { readonly kind: 'container-started'; readonly title: string }
  /** `label` as the transcript shows it: `package from './pkgs/nginx'` or `package 'dev-libs/openssl'`. */
  | { readonly kind: 'package-started'; readonly hash: Hash; readonly label: string; readonly platform: string }
  | { readonly kind: 'package-found'; readonly hash: Hash; readonly place: 'locally' | string }
  | PackageMissed
  /** `uploads`: it is published next, which `package-uploaded` ends. */
  | { readonly kind: 'package-built'; readonly hash: Hash; readonly uploads?: boolean }
  | { readonly kind: 'package-uploading'; readonly hash: Hash; readonly place: string }
  | { readonly kind: 'package-uploaded'; readonly hash: Hash }
  | { readonly kind: 'package-failed'; readonly hash: Hash }
  /** With --keep-going: not built, because these packages, which it needs, were not. */
  | { readonly kind: 'package-skipped'; readonly hash: Hash; readonly needs: readonly string[] }
  | { readonly kind: 'container-uploading'; readonly place: string }
  | { readonly kind: 'container-uploaded' }
  | { readonly kind: 'container-upload-failed' }
  | { readonly kind: 'image-started'; readonly label: string }
  | { readonly kind: 'image-finished'; readonly label: string; readonly results: readonly string[] }
  | { readonly kind: 'image-failed'; readonly label: string }
  /** The tests of a finished image, or of a package where they were asked for; `label` names it. */
  | { readonly kind: 'test-started'; readonly label: string }
  | { readonly kind: 'test-passed'; readonly label: string }
  | { readonly kind: 'test-failed'; readonly label: string }
  /** Long work: fetches, conversions, builds, compression. `total` in bytes where known. */
  | {
      readonly kind: 'task-started';
      readonly task: string;
      readonly label: string;
      readonly total?: number | undefined;
      /** What `total` and `done` count; bytes where it is absent. */
      readonly unit?: 'packages' | 'items';
    }
  | {
      readonly kind: 'task-progress';
      readonly task: string;
      readonly done: number;
      readonly total?: number | undefined;
      readonly detail?: string;
    }
  /** Raw log bytes of a running build. */
  | { readonly kind: 'task-log'; readonly task: string; readonly chunk: Uint8Array }
  | { readonly kind: 'task-finished'; readonly task: string; readonly outcome: 'done' | 'failed' }
  /** `isStanding`: what it says still holds when nothing has changed, and is said again. */
  | { readonly kind: 'notice'; readonly text: string; readonly isStanding?: true }
  | { readonly kind: 'warning'; readonly text: string; readonly hint?: string };

/** A package is built next. */
export interface PackageMissed {
  readonly kind: 'package-missed';
  readonly hash: Hash;
  readonly reason: string;
  /** The option that asks for building; nobody looked for the HASH then. */
  readonly asked?: '--from-source' | '--force';
  /** Something was found under the HASH and cannot be used: one clause. */
  readonly unusable?: string;
}

export type EventSink = (event: BuilditEvent) => void;
