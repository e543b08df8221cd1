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
  const isMissing = code === 127 && /^\/\.buildit\/usr\/bin\/env: .*No such file or directory$/m.test(stderr);
  if (isMissing) return 'no such program, or none of the interpreter or loader it names';
  return signal === undefined ? `exit code ${code}` : `exit code ${code} (${signal})`;
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
