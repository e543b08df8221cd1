import type { BuilditEvent } from '../../model/events.ts';
import type { Colours } from '../colours.ts';
import { createScreen } from '../screen/create-screen.ts';
import { type CiService, inertStream } from '../screen/inert-stream.ts';
import { recordingStream } from '../text-stream.ts';

/**
 * The events of the run that would come next if nothing changed: what was built is found, what took long does not
 * happen, and what was told once is not told again. A warning stays: what caused it is still there. So does a standing
 * notice.
 */
export function secondRun(events: readonly BuilditEvent[]): readonly BuilditEvent[] {
  return events.flatMap((event): readonly BuilditEvent[] => {
    switch (event.kind) {
      case 'package-started':
        return [event, { kind: 'package-found', hash: event.hash, place: 'locally' }];
      case 'notice':
        return event.isStanding === true ? [event] : [];
      case 'container-started':
      case 'image-started':
      case 'image-finished':
      case 'test-started':
      case 'test-passed':
      case 'warning':
        return [event];
      default:
        return [];
    }
  });
}

/** What such a run prints; logs, groups and views have nothing to show in it, so it is the same in every mode. */
export function renderSecondRun(
  events: readonly BuilditEvent[],
  imageLines: readonly string[],
  { quiet, colours, service }: { quiet: boolean; colours: Colours; service: CiService | undefined },
): { stdout: string; stderr: string } {
  const [recordedOut, recordedErr] = [recordingStream(), recordingStream()];
  const stdout = inertStream(recordedOut.stream, service);
  const stderr = inertStream(recordedErr.stream, service);
  const screen = createScreen({
    mode: 'plain',
    quiet,
    verbose: false,
    transcript: stdout,
    errors: stderr,
    commands: recordedErr.stream,
    colours,
    unicode: true,
  });
  for (const event of secondRun(events)) screen.emit(event);
  screen.close();
  for (const line of imageLines) {
    if (quiet) stdout.write(`${line}\n`);
    else stderr.write(`  ${line}\n`);
  }
  return { stdout: recordedOut.text(), stderr: recordedErr.text() };
}
