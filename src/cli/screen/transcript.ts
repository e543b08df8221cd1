import { append } from '../../model/append.ts';
import type { BuilditEvent, PackageMissed } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import { shownName, shownNames } from '../../model/shown-name.ts';

/** A piece of the transcript; a line may come in two pieces, its beginning and how it ended. */
export interface TranscriptPiece {
  readonly text: string;
  readonly endsLine: boolean;
}

export interface Transcript {
  /** What an event adds to what is shown. */
  apply(event: BuilditEvent): readonly TranscriptPiece[];
  /** What is still to be shown when the run ends, however it ends. */
  finish(): readonly TranscriptPiece[];
}

/** All that is shown of one package or image. */
interface Block {
  readonly key: string;
  readonly waiting: TranscriptPiece[];
  shown: boolean;
  lineOpen: boolean;
  outcome: 'open' | 'done' | 'failed';
}

/**
 * Turns events into the founding transcript. Work runs in parallel and ends in any order; blocks are shown in the order
 * in which they were started, each without a gap, so the same run always reads the same.
 */
export function createTranscript(): Transcript {
  let blocks: Block[] = [];

  const say = (key: string, text: string, endsLine = true) => {
    const block = blocks.find((candidate) => candidate.key === key && candidate.outcome === 'open');
    if (block === undefined) return;
    block.waiting.push({ text, endsLine });
    block.lineOpen = !endsLine;
  };
  const end = (key: string, outcome: 'done' | 'failed') => {
    const block = blocks.find((candidate) => candidate.key === key && candidate.outcome === 'open');
    if (block === undefined) return;
    if (block.lineOpen) say(key, outcome === 'done' ? ' [OK]' : ' [FAILED]');
    block.outcome = outcome;
  };
  const begin = (key: string) => {
    blocks.push({ key, waiting: [], shown: false, lineOpen: false, outcome: 'open' });
  };
  /** Shows what waits in the first block, and in those behind it as long as the ones before have ended. */
  const showReady = () => {
    const pieces: TranscriptPiece[] = [];
    while (blocks.length > 0) {
      const first = blocks[0]!;
      append(pieces, first.waiting.splice(0));
      first.shown = true;
      if (first.outcome === 'open') break;
      blocks.shift();
    }
    return pieces;
  };

  return {
    apply(event) {
      applyEvent(event, { say, end, begin });
      return showReady();
    },
    finish() {
      const pieces = blocks.flatMap((block) => lastPieces(block));
      blocks = [];
      return pieces;
    },
  };
}

interface BlockWriter {
  begin(key: string): void;
  say(key: string, text: string, endsLine?: boolean): void;
  end(key: string, outcome: 'done' | 'failed'): void;
}

function applyEvent(event: BuilditEvent, { begin, say, end }: BlockWriter): void {
  switch (event.kind) {
    case 'container-started':
      begin('container');
      say('container', `Building ${printable(event.title)}`);
      end('container', 'done');
      break;
    case 'package-started':
      begin(event.hash);
      say(event.hash, `Processing ${printable(event.label)} for ${printable(event.platform)}.`);
      say(event.hash, `HASH: ${hashAsUuid(event.hash)}`);
      break;
    case 'package-found': {
      const place = event.place === 'locally' ? event.place : `at '${printable(event.place)}'`;
      say(event.hash, `Found HASH ${place}...`, false);
      end(event.hash, 'done');
      break;
    }
    case 'package-missed':
      for (const { text, endsLine } of missedPieces(event)) say(event.hash, text, endsLine);
      break;
    case 'package-skipped':
      say(event.hash, `Not built: it needs ${shownNames(event.needs)}, which failed`);
      end(event.hash, 'done');
      break;
    case 'package-built':
      if (event.uploads === true) say(event.hash, ' [OK]');
      else end(event.hash, 'done');
      break;
    case 'package-uploading':
      say(event.hash, `Uploading packages to '${printable(event.place)}'`, false);
      break;
    case 'package-uploaded':
      end(event.hash, 'done');
      break;
    case 'container-uploading':
      begin(UPLOAD);
      say(UPLOAD, `Uploading container spec and image(s) to '${printable(event.place)}'`, false);
      break;
    case 'container-uploaded':
      end(UPLOAD, 'done');
      break;
    case 'container-upload-failed':
      end(UPLOAD, 'failed');
      break;
    case 'package-failed':
      end(event.hash, 'failed');
      break;
    case 'image-started':
      begin(imageKey(event.label));
      say(imageKey(event.label), `Packaging ${printable(event.label)}...`, false);
      break;
    case 'image-finished':
      end(imageKey(event.label), 'done');
      break;
    case 'image-failed':
      end(imageKey(event.label), 'failed');
      break;
    case 'test-started':
      begin(testKey(event.label));
      say(testKey(event.label), `Testing ${printable(event.label)}...`, false);
      break;
    case 'test-passed':
      end(testKey(event.label), 'done');
      break;
    case 'test-failed':
      end(testKey(event.label), 'failed');
      break;
    default:
  }
}

/** Why a package is built: the option that asks for it, something found that cannot be used, or nothing found. */
function missedPieces({ asked, unusable }: PackageMissed): TranscriptPiece[] {
  if (asked !== undefined) return [{ text: `Building locally because of ${asked}...`, endsLine: false }];
  const found =
    unusable === undefined
      ? "Can't find HASH in any known location..."
      : `Found HASH, but can't use it: ${shownName(unusable)}...`;
  return [
    { text: found, endsLine: true },
    { text: 'Defaulting to local build...', endsLine: false },
  ];
}

const UPLOAD = 'upload';

function testKey(label: string): string {
  return `test ${label}`;
}

function imageKey(label: string): string {
  return `image ${label}`;
}

/** Of work that was given up, what was shown gets an end; what was not shown stays so. */
function lastPieces({ waiting, shown, lineOpen, outcome }: Block): TranscriptPiece[] {
  if (outcome !== 'open') return waiting;
  if (!shown) return [];
  return lineOpen ? [...waiting, { text: ' [CANCELLED]', endsLine: true }] : waiting;
}
