import { aheadOfTimeTests } from './aheadOfTimeTests.fixtures.ts';

aheadOfTimeTests('float32');
