import { describe, expect, test } from 'vitest';
import { BuilditError, type BuilditErrors, throwCollected } from '../../src/model/errors.ts';

const error = (message: string, hint?: string) => new BuilditError('file-missing', message, { hint });

describe('errors that were collected', () => {
  test('are thrown together, in their order, each that says the same once', () => {
    const errors = [error('a', 'look'), error('b'), error('a', 'look'), error('a'), error('b')];
    const thrown = (() => {
      try {
        throwCollected(errors);
      } catch (caught) {
        return caught as BuilditErrors;
      }
    })();
    expect(thrown?.errors).toEqual([errors[0], errors[1], errors[3]]);
  });

  test('are thrown as one where all say the same, and not at all where there are none', () => {
    const [first, second] = [error('a'), error('a')];
    expect(() => throwCollected([first, second])).toThrow(first);
    expect(() => throwCollected([])).not.toThrow();
  });
});
