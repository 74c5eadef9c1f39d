import { testEngine } from '../../test/engine.ts';
import { rawOpTests } from './rawOp.fixtures.ts';

rawOpTests(testEngine, ['graph', 'xla', 'eager'], true);
