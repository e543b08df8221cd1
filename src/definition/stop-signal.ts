import { closestName } from '../document/closest-name.ts';

/** The signals of Linux that engines know by name: signal(7), less those that stand for different numbers elsewhere. */
const NAMES: readonly string[] = [
  ...['ABRT', 'ALRM', 'BUS', 'CHLD', 'CONT', 'FPE', 'HUP', 'ILL', 'INT', 'IO', 'KILL', 'PIPE', 'PROF', 'PWR', 'QUIT'],
  ...['SEGV', 'STKFLT', 'STOP', 'SYS', 'TERM', 'TRAP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'USR1', 'USR2', 'VTALRM'],
  ...['WINCH', 'XCPU', 'XFSZ'],
];

/** Second names, which not every engine knows: signal(7), "Standard signals". */
const SYNONYMS: Readonly<Record<string, string>> = { CLD: 'CHLD', IOT: 'ABRT', POLL: 'IO', UNUSED: 'SYS' };

/** SIGRTMAX less SIGRTMIN: 34 to 64, since glibc keeps 32 and 33 for itself. */
const REAL_TIME_SPAN = 30;
/** Docker names real-time signals from the nearer end only: SIGRTMIN+1 to +15, SIGRTMAX-14 to -1. */
const LARGEST_OFFSET_FROM_MINIMUM = 15;
const LARGEST_NUMBER = 64;

export type StopSignal =
  /** As every engine accepts it: `SIGQUIT`, `SIGRTMIN+3`, `9`. */
  { readonly kind: 'signal'; readonly text: string } | { readonly kind: 'unknown'; readonly hint: string };

/** Reads a signal as signal(7) names it, with or without `SIG`, in any case, or as a number from 1 to 64. */
export function parseStopSignal(text: string): StopSignal {
  if (/^[1-9][0-9]?$/.test(text) && Number(text) <= LARGEST_NUMBER) return { kind: 'signal', text };
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name]! : name;
  if (NAMES.includes(known)) return { kind: 'signal', text: `SIG${known}` };
  const offset = realTimeOffset(name);
  if (offset !== undefined) return { kind: 'signal', text: `SIG${realTimeName(offset)}` };
  return { kind: 'unknown', hint: hintFor(text, name) };
}

/** How far above SIGRTMIN, 0 to 30. */
function realTimeOffset(name: string): number | undefined {
  const [, base, distance] = /^RT(MIN|MAX)([+-][0-9]{1,2})?$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const [sign, digits = '0'] = distance === undefined ? [] : [distance[0], distance.slice(1)];
  if (sign !== undefined && sign !== (base === 'MIN' ? '+' : '-')) return undefined;
  if (digits.length > 1 && digits.startsWith('0')) return undefined;
  const steps = Number(digits);
  if (steps > REAL_TIME_SPAN) return undefined;
  return base === 'MIN' ? steps : REAL_TIME_SPAN - steps;
}

function realTimeName(offset: number): string {
  if (offset === 0) return 'RTMIN';
  if (offset === REAL_TIME_SPAN) return 'RTMAX';
  return offset <= LARGEST_OFFSET_FROM_MINIMUM ? `RTMIN+${offset}` : `RTMAX-${REAL_TIME_SPAN - offset}`;
}

function hintFor(text: string, name: string): string {
  if (/^[0-9]+$/.test(text)) return `signals have the numbers 1 to ${LARGEST_NUMBER}`;
  if (/^RT(?:MIN|MAX)/.test(name)) return `real-time signals are SIGRTMIN+1 to SIGRTMIN+${REAL_TIME_SPAN}`;
  const meant = closestName(name, NAMES);
  return meant === undefined ? 'signal(7) lists the signals of Linux' : `did you mean "SIG${meant}"?`;
}
