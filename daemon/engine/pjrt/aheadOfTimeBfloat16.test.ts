import { aheadOfTimeTests } from './aheadOfTimeTests.fixtures.ts';

aheadOfTimeTests('bfloat16');
