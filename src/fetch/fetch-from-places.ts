import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { DownloadError, shownUrl } from '../system/http.ts';
import { type DownloadBlobOptions, downloadBlob } from './download-blob.ts';

/** Somewhere a file may be. `find` answers the addresses there, at once or after looking. */
export interface SourcePlace {
  readonly name: string;
  find(): Promise<readonly { readonly url: string; readonly size?: number; readonly allowHttp: boolean }[]>;
}

export interface WantedFile extends DownloadBlobOptions {
  readonly sha256: Digest;
  /** The file's name, for messages. */
  readonly name: string;
  readonly maximumBytes: number;
  readonly task: string;
}

/** Tries one place after the other until one has the file with its digest. Throws what every place answered. */
export async function fetchFromPlaces(places: readonly SourcePlace[], wanted: WantedFile): Promise<void> {
  const answers: PlaceAnswer[] = [];
  for (const [index, place] of places.entries()) {
    const addresses = await addressesOf(place, answers);
    for (const [at, address] of addresses.entries()) {
      const isLast = index === places.length - 1 && at === addresses.length - 1;
      try {
        await downloadBlob({ ...wanted, ...address }, isLast ? wanted : withFewRetries(wanted));
        return;
      } catch (error) {
        answers.push(answerOf(error, shownUrl(address.url)));
        warnOfOtherBytes(error, wanted);
      }
    }
  }
  throw nowhereError(wanted, answers);
}

/** While another place is left, waiting long for this one is no use. */
function withFewRetries(wanted: WantedFile): WantedFile {
  return { ...wanted, http: { ...wanted.http, retries: Math.min(1, wanted.http?.retries ?? 1) } };
}

/** Why a place did not give the file, as the user reads it: `https://…: 404 (not there)`. */
interface PlaceAnswer {
  readonly text: string;
  readonly code: BuilditError['code'];
  readonly cause: unknown;
}

async function addressesOf(place: SourcePlace, answers: PlaceAnswer[]) {
  try {
    const addresses = await place.find();
    if (addresses.length === 0) {
      const text = `${printable(place.name)}: no file with this sha256`;
      answers.push({ text, code: 'unreachable', cause: undefined });
    }
    return addresses;
  } catch (error) {
    answers.push(answerOf(error, printable(place.name)));
    return [];
  }
}

/** Failures of one place lead to the next; everything else (interruption, a full disk) ends the fetch. */
function answerOf(error: unknown, place: string): PlaceAnswer {
  if (error instanceof DownloadError)
    return { text: `${place}: ${error.answer}${tries(error)}`, code: error.code, cause: error };
  if (!(error instanceof BuilditError)) throw error;
  switch (error.code) {
    case 'checksum-mismatch':
    case 'input-invalid':
    case 'unreachable':
    case 'signature-invalid': {
      const found = /found (.*)$/s.exec(error.message)?.[1] ?? error.message;
      const text = error.code === 'checksum-mismatch' ? `other bytes (sha256 ${found})` : found;
      return { text: `${place}: ${text}`, code: error.code, cause: error };
    }
    default:
      throw error;
  }
}

function tries({ tries: count }: DownloadError): string {
  return count > 1 ? `, tried ${count} times` : '';
}

/** Other bytes under a known name are worth a look, even when the next place has the right ones. */
function warnOfOtherBytes(error: unknown, { context }: WantedFile): void {
  if (error instanceof BuilditError && error.code === 'checksum-mismatch') {
    context.emit({ kind: 'warning', text: error.message, hint: 'nothing of it was used; other places are tried' });
  }
}

/** Of a page or a compressed answer in place of the file, a clock, or a certificate. */
function tellingHint(answers: readonly PlaceAnswer[]): string | undefined {
  const telling = answers.find(({ cause }) => !(cause instanceof DownloadError) || cause.isTelling);
  return telling?.cause instanceof BuilditError ? telling.cause.hint : undefined;
}

function nowhereError({ name, sha256 }: WantedFile, answers: readonly PlaceAnswer[]): BuilditError {
  const mismatch = answers.some(({ code }) => code === 'checksum-mismatch');
  return new BuilditError(
    mismatch ? 'checksum-mismatch' : 'unreachable',
    `Cannot fetch "${printable(name)}": expected sha256 ${sha256}, found it ${answers.length === 1 ? 'not where it was looked for' : `at none of ${answers.length} places`}`,
    {
      details: answers.map(({ text }) => text),
      hint: mismatch
        ? 'compare with what the project publishes: either the definition is wrong or the file is not what it was'
        : (tellingHint(answers) ?? 'check the network (behind a proxy set HTTPS_PROXY) or add a mirror to the source'),
      cause: answers.find(({ cause }) => cause !== undefined)?.cause,
    },
  );
}
