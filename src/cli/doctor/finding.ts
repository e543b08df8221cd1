/** What a check found. A fault keeps buildit from working; advice does not. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'advice' | 'fault';
  readonly text: string;
  /** Commands and sentences that mend it, one a line. */
  readonly remedy: readonly string[];
}

export function ok(check: string, text: string): Finding {
  return { check, state: 'ok', text, remedy: [] };
}

export function advice(check: string, text: string, ...remedy: readonly string[]): Finding {
  return { check, state: 'advice', text, remedy };
}

export function fault(check: string, text: string, ...remedy: readonly string[]): Finding {
  return { check, state: 'fault', text, remedy };
}
