import { constants } from 'node:os';
import type { TestDefinition } from '../model/test-definition.ts';
import type { SandboxExit } from './run-sandbox.ts';
import type { ExceededLimit } from './watch-limits.ts';

/** Why a test did not pass, as the two sides of a sentence. */
export interface TestMismatch {
  readonly expected: string;
  readonly found: string;
}

export interface TestObservation {
  readonly exit: SandboxExit;
  readonly stdout: string;
  readonly stderr: string;
  /** What it went over and was ended for. */
  readonly exceeded: ExceededLimit | undefined;
}

/** Compares what a program that ran did with what a test expects of it; undefined where it is that. */
export function judgeTest(test: TestDefinition, observed: TestObservation): TestMismatch | undefined {
  const { exceeded, exit, stdout, stderr } = observed;
  const wantedExit = exitText(test.exitCode);
  if (exceeded !== undefined) return { expected: wantedExit, found: `that ${exceeded.explanation}` };
  if (exit.kind === 'killed') return { expected: wantedExit, found: `that it was ended by ${exit.signal}` };
  if (exit.code !== test.exitCode) return { expected: wantedExit, found: exitText(exit.code, stderr) };
  return lacking('standard output', test.stdout, stdout) ?? lacking('standard error', test.stderr, stderr);
}

function exitText(code: number, stderr = ''): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  const unstarted = unstartedText(code, stderr);
  if (unstarted !== undefined) return unstarted;
  return signal === undefined ? `exit code ${code}` : `exit code ${code} (${signal})`;
}

/** How buildit's own programs in a sandbox begin a line about a command that they could not start. */
const OWN_LINE = /^(?:\/\.buildit\/usr\/bin\/env|buildit): /;

/** Tells a line of buildit's own programs from one of the program that is tested. */
export function isOwnLine(line: string): boolean {
  return OWN_LINE.test(line);
}

/** Why a command was not started, in words of its user: env(1) ends with 126 or 127, and `enterLine` with 125. */
function unstartedText(code: number, stderr: string): string | undefined {
  if (code < 125 || code > 127) return undefined;
  const said = stderr.split('\n').find(isOwnLine);
  if (said === undefined) return undefined;
  if (code === 125) return 'that its working directory cannot be entered';
  if (code === 127) return 'no such program, or none of the interpreter or loader it names';
  const reason = said.slice(said.lastIndexOf(': ') + 2);
  return `a program that cannot be run: ${shorten(reason)}`;
}

/** The same of a server that ended at once. */
export function explainStart(answer: TestMismatch, stderr: string): TestMismatch {
  const code = /^that the server ended with exit code ([0-9]{1,3})\b/.exec(answer.found)?.[1];
  return { ...answer, found: (code && unstartedText(Number(code), stderr)) || answer.found };
}

const SHOWN = 200;

function lacking(stream: string, wanted: string | undefined, found: string): TestMismatch | undefined {
  if (wanted === undefined || found.includes(wanted)) return undefined;
  return { expected: `"${shorten(wanted)}" in its ${stream}`, found: found === '' ? 'nothing' : `"${shorten(found)}"` };
}

/** The first line, and that there are more. */
export function shorten(text: string): string {
  const [first = '', ...more] = text.trimEnd().split('\n');
  const isWhole = more.length === 0 && first.length <= SHOWN;
  return isWhole ? first : `${first.slice(0, SHOWN)}…`;
}
