import { describe } from 'vitest';
import { lackOfPjrt, pjrtTestEngine } from '../../../test/engine.ts';
import { rawOpTests } from '../rawOp.fixtures.ts';

describe.skipIf(lackOfPjrt)('pjrt:cpu', () => rawOpTests(pjrtTestEngine, ['xla'], false));
