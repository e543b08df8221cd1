import type { AskOptions } from './ask-page.ts';
import type { DiscoveryStep } from './discovery.ts';

/** One discovery under way: how to ask, and what was asked so far. */
export interface Inquiry extends AskOptions {
  readonly location: string;
  readonly steps: readonly DiscoveryStep[];
  note(tried: string, answer: string): void;
}

export function createInquiry(
  location: string,
  options: AskOptions,
  onStep: ((step: DiscoveryStep) => void) | undefined,
): Inquiry {
  const steps: DiscoveryStep[] = [];
  return {
    ...options,
    location,
    steps,
    note(tried, answer) {
      const step = { tried, answer };
      steps.push(step);
      onStep?.(step);
    },
  };
}
