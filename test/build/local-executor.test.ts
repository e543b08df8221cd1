import { requires } from '../support/requires.ts';
import { testExecutor } from './executor-suite.ts';
import { openDummy, openLocal } from './open-harness.ts';

requires('bwrap', 'user namespaces').describe('a sandbox of this machine', () => testExecutor('local', openLocal));

testExecutor('dummy', openDummy);
